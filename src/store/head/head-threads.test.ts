import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { seededRandom } from '../../../test/kernels.ts';
import { withHead } from './_head-fixtures.ts';
import type { ReaderThreadData } from './_head-reader-thread.ts';
import { READER_STAGING_BYTES } from './series-chunks.ts';

const SEED = 20261204;
const SCRAPES = 3000;
/** Queries after which the reader's code is compiled. */
const WARM_QUERIES = 300;
const START_MS = 1_699_999_200_000;
const STEP_MS = 60_000;

test(`a thread that reads sees whole transactions of the right series while they come and go (seed ${SEED})`, () =>
  withHead(async ({ head, writer, folder, view }) => {
    const random = seededRandom(SEED);
    const control = new Int32Array(new SharedArrayBuffer(16));
    const data: ReaderThreadData = { memory: view.linear.memory, stagingAt: view.linear.allocate(READER_STAGING_BYTES), folder, control };
    const worker = new Worker(new URL('_head-reader-thread.ts', import.meta.url), { workerData: data });
    const message = once(worker, 'message');
    const live = new Map<number, number>();
    let nextId = 0;
    let giving: { epoch: number; begun: number } | null = null;
    for (let scrape = 0; scrape < SCRAPES && Atomics.load(control, 2) === 0; scrape++) {
      const timeMs = START_MS + scrape * STEP_MS;
      // Few series at a time are new: what is used again is of all ages.
      for (let i = 0; i < 5; i++) live.set(nextId, head.series(['__name__', 'each', 'copy', `of-${nextId}-and-more`, 'id', String(nextId++)]));
      for (const id of live.keys()) if (live.size > 60 && random() < 0.1) live.delete(id);
      const count = live.size + 1;
      const refs = new Uint32Array(count);
      const values = new Float64Array(count);
      let i = 0;
      for (const [id, ref] of live) {
        refs[i] = ref;
        values[i++] = id * 1000 + (scrape % 7);
      }
      refs[i] = head.series(['__name__', 'total']);
      values[i] = count;
      // Two appends and one commit, as a scrape and its markers.
      const half = count >>> 1;
      const times = new Float64Array(count).fill(timeMs);
      head.append({ refs: refs.subarray(0, half), times, values, count: half });
      head.append({ refs: refs.subarray(half), times: times.subarray(half), values: values.subarray(half), count: count - half });
      head.commit();
      // Transactions that come faster than a reader can look, which is slow at first, are not what is tested here.
      const pauseMs = Atomics.load(control, 1) < WARM_QUERIES ? 100 : 0.2;
      Atomics.wait(control, 1, Atomics.load(control, 1), pauseMs);
      if (scrape % 5 === 0) head.flushChunks(writer, 20);
      // Once the reader is done with what it did when the truncation ended.
      if (giving !== null && (Atomics.load(control, 1) >= giving.begun || Atomics.load(control, 2) === 1)) {
        for (const _ of head.quiesced(giving.epoch)) continue;
        giving = null;
      }
      if (scrape % 10 !== 9 || giving !== null) continue;
      const beforeMs = timeMs - 90 * STEP_MS;
      const steps = head.truncate({ beforeMs, unbind: (isGone) => assert.ok(![...live.values()].some(isGone)) }, 0);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      head.setFirstChunkFile(writer.truncate(beforeMs));
      giving = { epoch: step.value.epoch, begun: Atomics.load(control, 0) };
    }
    Atomics.store(control, 2, 1);
    const [fault] = (await message) as [string | null];
    await worker.terminate();
    assert.equal(fault, null);
    assert.ok(Atomics.load(control, 3) > 0, 'the reader has seen samples');
    assert.ok(head.removedSeries > 1000, 'series were removed');
  }));
