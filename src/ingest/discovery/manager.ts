/**
 * Who finds which targets: the providers of all jobs, run once each however many jobs name them, and what they found.
 *
 * Providers may emit in bursts (a rollout in a cluster changes hundreds of groups), so updates go out at once when it has
 * been quiet, and ever more slowly while changes keep coming.
 * Source: Prometheus, discovery/manager.
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { DiscovererParts, SupportedSdConfig } from './discoverers.ts';
import type { SdConfig } from './sd-config.ts';
import type { Discoverer, TargetGroup } from './target-group.ts';

/** First wait between a change and the update that tells of it; doubles with each update that follows at once. */
export const MIN_UPDATE_DELAY_MS = 100;
export const MAX_UPDATE_DELAY_MS = 5000;

/** What is known of one job. */
export interface DiscoveredSet {
  readonly groups: readonly TargetGroup[];
  /** Names of the job's kinds for which nothing can be discovered. */
  readonly unsupportedKinds: readonly string[];
}

export interface DiscoveryManagerOptions {
  readonly parts: DiscovererParts;
  readonly createDiscoverer: (config: SupportedSdConfig, parts: DiscovererParts) => Discoverer;
  /** Takes the whole state, by job. */
  readonly onUpdate: (sets: ReadonlyMap<string, DiscoveredSet>) => void;
  /** `scrape` or `notify`, as metrics name it. */
  readonly name: string;
}

interface Provider {
  readonly jobs: Set<string>;
  readonly groups: Map<string, TargetGroup>;
  readonly abort: AbortController;
  /** Settles when the provider has stopped; never rejects. */
  readonly stopped: Promise<void>;
}

export class DiscoveryManager {
  readonly #options: DiscoveryManagerOptions;
  readonly #closing = new AbortController();
  /** By configuration. */
  #providers = new Map<string, Provider>();
  /** By job, kinds that are not supported. */
  #unsupported = new Map<string, readonly string[]>();
  #jobs: readonly string[] = [];
  #isDirty = false;
  #isUpdating = false;

  constructor(options: DiscoveryManagerOptions) {
    this.#options = options;
  }

  /** Discovers for these jobs from now on. Providers that were there before go on, with what they have found. */
  apply(configs: ReadonlyMap<string, readonly SdConfig[]>): void {
    const { parts, name } = this.#options;
    const before = this.#providers;
    const wanted = providersOf(configs);
    this.#unsupported = new Map([...configs].map(([job, list]) => [job, unsupportedKinds(list)]));
    this.#jobs = [...configs.keys()];
    this.#providers = new Map();
    for (const [key, { config, jobs }] of wanted) {
      const kept = before.get(key);
      if (kept === undefined) this.#providers.set(key, this.#start(config, jobs));
      else this.#providers.set(key, { ...kept, jobs });
    }
    for (const [key, provider] of before) if (!wanted.has(key)) provider.abort.abort();
    parts.metrics.failedConfigs.set([...this.#unsupported.values()].flat().length, { name });
    for (const [job, kinds] of this.#unsupported) {
      for (const kind of kinds)
        parts.logger.error('service discovery of this kind is not supported yet; the job finds no targets by it', {
          job,
          kind: `${kind}_sd_configs`,
        });
    }
    this.#markDirty();
  }

  /** Stops all providers. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const provider of this.#providers.values()) provider.abort.abort();
    await Promise.all([...this.#providers.values()].map((provider) => provider.stopped));
  }

  #start(config: SupportedSdConfig, jobs: Set<string>): Provider {
    const { parts, createDiscoverer } = this.#options;
    const abort = new AbortController();
    const groups = new Map<string, TargetGroup>();
    const emit = (changed: readonly TargetGroup[]): void => {
      if (abort.signal.aborted) return;
      parts.metrics.receivedUpdates.add(1, { name: this.#options.name });
      for (const group of changed) {
        if (group.targets.length === 0) groups.delete(group.source);
        else groups.set(group.source, group);
      }
      this.#markDirty();
    };
    const stopped = createDiscoverer(config, parts)
      .run(emit, abort.signal)
      .catch((error: unknown) => {
        if (!abort.signal.aborted)
          parts.logger.error('a discovery provider has stopped', { kind: config.kind, err: errorMessage(error) });
      });
    return { jobs, groups, abort, stopped };
  }

  #markDirty(): void {
    if (this.#isDirty) {
      this.#options.parts.metrics.delayedUpdates.add(1, { name: this.#options.name });
      return;
    }
    this.#isDirty = true;
    if (!this.#isUpdating) void this.#update();
  }

  /** Sends until nothing has changed during a whole wait. */
  async #update(): Promise<void> {
    const { timers } = this.#options.parts;
    this.#isUpdating = true;
    let delayMs = MIN_UPDATE_DELAY_MS;
    while (this.#isDirty && !this.#closing.signal.aborted) {
      await timers.sleep(delayMs, this.#closing.signal);
      if (this.#closing.signal.aborted) break;
      this.#isDirty = false;
      this.#send();
      await timers.sleep(delayMs, this.#closing.signal);
      delayMs = Math.min(delayMs * 2, MAX_UPDATE_DELAY_MS);
    }
    this.#isUpdating = false;
  }

  #send(): void {
    const { parts, name, onUpdate } = this.#options;
    const sets = new Map<string, DiscoveredSet>();
    parts.metrics.discoveredTargets.reset();
    for (const job of this.#jobs) {
      const groups = [...this.#providers.values()]
        .filter((provider) => provider.jobs.has(job))
        .flatMap((provider) => [...provider.groups.values()]);
      sets.set(job, { groups, unsupportedKinds: this.#unsupported.get(job) ?? [] });
      parts.metrics.discoveredTargets.set(
        groups.reduce((sum, group) => sum + group.targets.length, 0),
        { name, config: job },
      );
    }
    parts.metrics.sentUpdates.add(1, { name });
    onUpdate(sets);
  }
}

function providersOf(
  configs: ReadonlyMap<string, readonly SdConfig[]>,
): Map<string, { config: SupportedSdConfig; jobs: Set<string> }> {
  const providers = new Map<string, { config: SupportedSdConfig; jobs: Set<string> }>();
  for (const [job, list] of configs) {
    for (const config of list) {
      if (config.kind === 'other') continue;
      const key = configKey(config);
      const provider = providers.get(key);
      if (provider === undefined) providers.set(key, { config, jobs: new Set([job]) });
      else provider.jobs.add(job);
    }
  }
  return providers;
}

function unsupportedKinds(configs: readonly SdConfig[]): readonly string[] {
  return [...new Set(configs.filter((config) => config.kind === 'other').map((config) => config.name))];
}

/** The same text for equal configurations. */
function configKey(config: SdConfig): string {
  return JSON.stringify(config, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}
