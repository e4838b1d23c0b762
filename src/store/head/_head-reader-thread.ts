/**
 * A reader of the head in a thread of its own, for tests: it selects everything again and again, and checks that what it sees is of one
 * piece while the owner adds, removes and gives memory out again.
 *
 * Each series has its number as label and in each value; the series `total` has in each value how many series the transaction wrote.
 */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { HEAD_KERNELS } from '../../../test/kernels.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { labelValue } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { HeadChunkPages } from './head-chunk-pages.ts';
import { HeadQuerier } from './head-querier.ts';
import { headSource } from './head-source.ts';
import type { HeadView } from './series-chunks.ts';

export interface ReaderThreadData {
  readonly memory: WebAssembly.Memory;
  readonly stagingAt: number;
  readonly folder: string;
  /** [0]: queries begun, [1]: queries done, [2]: 1 when it is to end, [3]: samples seen. */
  readonly control: Int32Array;
}

const { memory, stagingAt, folder, control } = workerData as ReaderThreadData;
const linear = new LinearMemory(memory);
const view: HeadView = { linear, kernel: HEAD_KERNELS[0]![1](linear), stagingAt, files: new HeadChunkPages(folder) };
const querier = new HeadQuerier(view);
const out = new SampleBuffer();

async function query(): Promise<void> {
  const startMs = Number.NEGATIVE_INFINITY;
  const endMs = Number.POSITIVE_INFINITY;
  const set = await querier.select({ matchers: [{ name: '__name__', op: '=~', value: 'total|each' }], startMs, endMs });
  /** By time: series that have a sample then, and how many there must be. */
  const seen = new Map<number, number>();
  const totals = new Map<number, number>();
  for (let i = 0; i < set.seriesCount; i++) {
    out.clear();
    set.read(i, out);
    const labels = set.labels(i);
    const isTotal = labelValue(labels, '__name__') === 'total';
    const id = Number(labelValue(labels, 'id'));
    assert.equal(labelValue(labels, 'copy'), isTotal ? '' : `of-${id}-and-more`);
    for (let k = 0; k < out.length; k++) {
      if (k > 0) assert.ok(out.times[k]! > out.times[k - 1]!, 'times ascend');
      seen.set(out.times[k]!, (seen.get(out.times[k]!) ?? 0) + 1);
      if (isTotal) totals.set(out.times[k]!, out.values[k]!);
      else assert.equal(Math.floor(out.values[k]! / 1000), id, 'a series has its own samples');
    }
    Atomics.add(control, 3, out.length);
  }
  // Only the newest transaction could be there in part: what is older may have been truncated.
  const newestMs = Math.max(...seen.keys());
  if (seen.size > 0) assert.equal(seen.get(newestMs), totals.get(newestMs), 'a transaction is seen whole');
}

/** Labels come sorted, and chunks belong to them. */
function readSource(): void {
  let before = '';
  for (const { labels, chunks } of headSource(view, { minTimeMs: 0, maxTimeMs: 1e15 }).series()) {
    const key = labelValue(labels, '__name__') + labelValue(labels, 'copy') + labelValue(labels, 'id');
    assert.ok(key > before, 'series come sorted');
    before = key;
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const { minTimeMs, maxTimeMs } of chunks) {
      assert.ok(minTimeMs > lastMs && maxTimeMs >= minTimeMs);
      lastMs = maxTimeMs;
    }
  }
}

try {
  for (let round = 0; Atomics.load(control, 2) === 0; round++) {
    Atomics.add(control, 0, 1);
    if (round % 8 === 7) readSource();
    else await query();
    Atomics.add(control, 1, 1);
    Atomics.notify(control, 1);
  }
  parentPort!.postMessage(null);
} catch (error) {
  Atomics.store(control, 2, 1);
  parentPort!.postMessage(error instanceof Error ? error.stack : String(error));
}
