/**
 * What a target's comment lines say of its metrics, read out of the cached lines when somebody asks.
 */
import { ENTRY, FLAG, LENGTH_MASK } from '../../core/kernels/exposition-kernel.ts';
import { compareStrings } from '../../core/model/labels.ts';
import type { LineCache } from './line-cache.ts';
import { OpenMetricsParser, unescapeOpenMetricsHelp } from './openmetrics-parser.ts';
import { TextParser, unescapeTextHelp } from './text-parser.ts';
import type { ExpositionWorkspace } from './workspace.ts';

/** What comment lines told of one metric family. */
export interface MetricMetadata {
  readonly metric: string;
  /** counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

interface Found {
  type: string;
  help: string;
  unit: string;
  /** The scrape that saw each line last: of contradicting lines the newest holds. */
  readonly seen: { type: number; help: number; unit: number };
}

/** One row for each metric that a live comment line names, sorted by name. */
export function collectMetadata(cache: LineCache, workspace: ExpositionWorkspace): MetricMetadata[] {
  const byMetric = new Map<string, Found>();
  const { u8 } = workspace.memory;
  const text = new TextParser();
  const openMetrics = new OpenMetricsParser();
  for (let i = 0; i < cache.entryCount; i++) {
    const flags = cache.flags(i);
    if ((flags & (FLAG.comment | FLAG.dead)) !== FLAG.comment) continue;
    const start = cache.word(i, ENTRY.bytes);
    const isOpenMetrics = (flags & FLAG.openMetrics) !== 0;
    const parser = isOpenMetrics ? openMetrics : text;
    parser.begin(u8, start, start + (flags & LENGTH_MASK) + 1);
    const line = parser.next();
    if (line !== 'help' && line !== 'type' && line !== 'unit') continue;
    let found = byMetric.get(parser.metric);
    if (found === undefined) {
      found = { type: 'unknown', help: '', unit: '', seen: { type: 0, help: 0, unit: 0 } };
      byMetric.set(parser.metric, found);
    }
    const seen = cache.word(i, ENTRY.seen);
    if (seen < found.seen[line]) continue;
    found.seen[line] = seen;
    if (line === 'help') found.help = isOpenMetrics ? unescapeOpenMetricsHelp(parser.text) : unescapeTextHelp(parser.text);
    else if (line === 'type') found.type = parser.text === 'untyped' ? 'unknown' : parser.text;
    else found.unit = parser.text;
  }
  return [...byMetric]
    .map(([metric, { type, help, unit }]) => ({ metric, type, help, unit }))
    .sort((a, b) => compareStrings(a.metric, b.metric));
}
