/**
 * What the tests of indexes share: folders that go away, and indexes made of label sets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareLabels, compareStrings, type Labels } from '../../core/model/labels.ts';
import { FileSource, OpenFiles } from './byte-source.ts';
import { IndexReader } from './index-reader.ts';
import { IndexWriter } from './index-writer.ts';
import { SymbolCache } from './symbol-cache.ts';
import { SeriesEntry } from './series-entry.ts';

export function withFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-index-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface TestChunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly ref: number;
}

/** Writes an index of the label sets in any order; by default each series has one chunk. */
export function writeIndex(
  path: string,
  series: readonly Labels[],
  { postingsMemoryBytes, chunks }: { postingsMemoryBytes?: number; chunks?: (index: number) => readonly TestChunk[] } = {},
): void {
  const writer = new IndexWriter(path, postingsMemoryBytes);
  writer.addSymbols([...new Set(series.flat())].sort(compareStrings));
  const entry = new SeriesEntry();
  for (const [i, labels] of series.toSorted(compareLabels).entries()) {
    entry.clear();
    for (const { minTimeMs, maxTimeMs, ref } of chunks?.(i) ?? [{ minTimeMs: i, maxTimeMs: i + 10, ref: 8 + 20 * i }]) {
      entry.addChunk(minTimeMs, maxTimeMs, ref);
    }
    writer.addSeries(labels, entry);
  }
  writer.finish();
}

export const openIndex = (path: string): IndexReader => new IndexReader(new FileSource(new OpenFiles(), path), { symbols: new SymbolCache(16) });

/** The label sets that the numbers stand for. */
export function labelsOf(index: IndexReader, refs: Uint32Array): Labels[] {
  const entry = new SeriesEntry();
  return Array.from(refs, (ref) => {
    index.series(ref, entry);
    return index.labels(entry);
  });
}
