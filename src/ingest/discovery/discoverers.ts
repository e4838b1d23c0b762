/**
 * A discoverer for each kind of configuration.
 */
import { unreachable } from '../../core/base/assert.ts';
import { systemClock } from '../../core/base/clock.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Registry } from '../../core/base/metrics.ts';
import { dnsRefresh, systemResolver, type DnsResolver } from './dns-discoverer.ts';
import { FileDiscoverer, watchFolder, type FileDiscovererParts } from './file-discoverer.ts';
import { createHttpClient } from './http-client.ts';
import { httpRefresh } from './http-discoverer.ts';
import type { Environment } from './http-proxy.ts';
import { refreshDiscoverer } from './refresh.ts';
import type { OtherSdConfig, SdConfig, StaticSdConfig } from './sd-config.ts';
import { createSdMetrics } from './sd-metrics.ts';
import type { Discoverer } from './target-group.ts';
import { toTargetGroup } from './target-list.ts';
import { systemTimers } from './timers.ts';

export interface DiscovererParts extends FileDiscovererParts {
  readonly resolver: DnsResolver;
  readonly environment: Environment;
  readonly userAgent: string;
}

/** What discoverers need, from the platform. */
export function systemDiscovererParts(given: {
  readonly registry: Registry;
  readonly logger: Logger;
  readonly userAgent: string;
}): DiscovererParts {
  const { registry, logger, userAgent } = given;
  return {
    metrics: createSdMetrics(registry),
    clock: systemClock,
    timers: systemTimers,
    logger,
    watchFolder,
    resolver: systemResolver(),
    environment: process.env,
    userAgent,
  };
}

/** Kinds that something can be discovered for. */
export type SupportedSdConfig = Exclude<SdConfig, OtherSdConfig>;

export function createDiscoverer(config: SupportedSdConfig, parts: DiscovererParts): Discoverer {
  switch (config.kind) {
    case 'static':
      return staticDiscoverer(config);
    case 'file':
      return new FileDiscoverer(config, parts);
    case 'dns':
      return refreshDiscoverer(
        'dns',
        config.refreshIntervalMs,
        dnsRefresh(config, parts.resolver, parts.metrics),
        parts,
      );
    case 'http':
      return {
        async run(emit, signal) {
          const client = createHttpClient(config.httpClient, parts);
          try {
            await refreshDiscoverer(
              'http',
              config.refreshIntervalMs,
              httpRefresh(config, client, parts.metrics, parts.userAgent),
              parts,
            ).run(emit, signal);
          } finally {
            await client.close();
          }
        },
      };
    default:
      return unreachable(config);
  }
}

function staticDiscoverer(config: StaticSdConfig): Discoverer {
  return {
    async run(emit) {
      emit(config.groups.map((group, i) => toTargetGroup(group, String(i))));
    },
  };
}
