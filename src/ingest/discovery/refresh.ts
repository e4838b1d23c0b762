/**
 * Discovery that asks again and again: what a refresh gives replaces what the one before gave, a refresh that fails leaves
 * it as it was.
 *
 * Source: Prometheus, discovery/refresh.
 */
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';
import type { SdMetrics } from './sd-metrics.ts';
import type { Discoverer, TargetGroup } from './target-group.ts';
import type { Timers } from './timers.ts';

export interface RefreshParts {
  readonly metrics: SdMetrics;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Asks for all groups there are now. @throws whatever makes the answer useless */
export type Refresh = (signal: AbortSignal) => Promise<readonly TargetGroup[]>;

/** @param mechanism `http`, `dns` …, as metrics name it */
export function refreshDiscoverer(
  mechanism: string,
  intervalMs: number,
  refresh: Refresh,
  parts: RefreshParts,
): Discoverer {
  const { metrics, clock, timers, logger } = parts;
  return {
    async run(emit, signal) {
      let sources: ReadonlySet<string> = new Set();
      metrics.refreshFailures.add(0, { mechanism });
      while (!signal.aborted) {
        const startMs = clock.monotonicMs();
        try {
          const groups = await refresh(signal);
          const now = new Set(groups.map((group) => group.source));
          const gone = [...sources]
            .filter((source) => !now.has(source))
            .map((source) => ({ source, labels: [], targets: [] }));
          sources = now;
          if (groups.length + gone.length > 0) emit([...groups, ...gone]);
        } catch (error) {
          if (signal.aborted) return;
          metrics.refreshFailures.add(1, { mechanism });
          logger.error('targets were not refreshed', { mechanism, err: errorMessage(error) });
        }
        metrics.refreshDuration.record((clock.monotonicMs() - startMs) / 1000, { mechanism });
        await timers.sleep(intervalMs, signal);
      }
    },
  };
}
