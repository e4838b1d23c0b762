/**
 * Answers about labels: `/series`, `/labels` and `/label/<name>/values`, as finished response bodies.
 */
import { compareLabels, compareStrings, labelsKey, type Labels } from '../../core/model/labels.ts';
import type { Querier } from '../../core/storage/querier.ts';
import type { MetadataQuery } from '../api/backend.ts';
import { writeSeriesJson, writeStringsJson } from '../api/query-json.ts';

/** @throws RegexError */
export async function answerMetadata(querier: Querier, request: MetadataQuery): Promise<Iterable<Uint8Array>> {
  const { kind, label, startMs, endMs, limit } = request;
  const sets = request.matcherSets.length === 0 ? [[]] : request.matcherSets;
  if (kind === 'series') {
    const all: Labels[] = [];
    for (const matchers of sets) all.push(...(await querier.series({ matchers, startMs, endMs })));
    const distinct = sets.length === 1 ? all : [...new Map(all.map((labels) => [labelsKey(labels), labels])).values()];
    return writeSeriesJson(distinct.sort(compareLabels), limit);
  }
  const found = new Set<string>();
  for (const matchers of sets) {
    const strings = kind === 'labels' ? await querier.labelNames({ matchers, startMs, endMs }) : await querier.labelValues(label, { matchers, startMs, endMs });
    for (const text of strings) found.add(text);
  }
  return writeStringsJson([...found].sort(compareStrings), limit);
}
