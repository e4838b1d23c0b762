import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLabels } from '../../src/core/model/labels.ts';
import { SampleBuffer } from '../../src/core/model/samples.ts';
import { HeadChunkPages } from '../../src/store/head/head-chunk-pages.ts';
import { Head } from '../../src/store/head/head.ts';
import { HeadQuerier } from '../../src/store/head/head-querier.ts';
import { OUT_OF_ORDER_LOG_FOLDER } from '../../src/store/head/out-of-order.ts';
import { replayHead } from '../../src/store/head/replay.ts';
import { READER_STAGING_BYTES } from '../../src/store/head/series-chunks.ts';
import { HEAD_KERNELS } from '../kernels.ts';
import { hasPrometheus, startPrometheus, withFolder } from '../support/servers.ts';
import { writeRequest } from './_remote-write.ts';

const START_MS = 1_699_999_200_000;
const CONFIG = 'storage:\n  tsdb:\n    out_of_order_time_window: 10m\n';

test('what came out of order to a Prometheus that was killed is found here', { skip: hasPrometheus ? false : 'prometheus is not installed' }, () =>
  withFolder(async (folder) => {
    const server = await (await startPrometheus({ folder, config: CONFIG, flags: ['--web.enable-remote-write-receiver'] })).untilReady();
    const send = async (name: string, seconds: readonly number[]): Promise<void> => {
      const samples = seconds.map((second): [number, number] => [START_MS + second * 1000, second]);
      const response = await fetch(`${server.url}/api/v1/write`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
        body: writeRequest([{ labels: [['__name__', name]], samples }]),
      });
      assert.equal(response.status, 204, await response.text());
    };
    const late = Array.from({ length: 150 }, (_, i) => 500 + ((i * 7) % 400));
    await send('a', [1000]);
    await send('b', [1000]);
    // Enough for some chunks, which are in files then, and for a rest that is only in the log.
    for (let i = 0; i < late.length; i += 10) await send('a', late.slice(i, i + 10));
    await send('b', [600, 700]);
    await server.stop('SIGKILL');
    const data = join(folder, 'data');
    assert.ok(existsSync(join(data, OUT_OF_ORDER_LOG_FOLDER)));
    assert.deepEqual(await replayed(data), { a: [...late.sort((x, y) => x - y), 1000], b: [600, 700, 1000] });
  }));

/** Values of all samples of a data folder's head. */
async function replayed(data: string): Promise<Record<string, number[]>> {
  const memory = Head.createMemory(8192);
  const kernel = HEAD_KERNELS[0]![1](memory);
  const head = new Head({ memory, kernel, log: { log: () => {} } });
  const report = replayHead(head, { dataFolder: data, walFolder: join(data, 'wal') });
  assert.deepEqual([report.walFault, report.chunkFault, report.unknownRefSamples], [null, null, 0]);
  const querier = new HeadQuerier({ linear: memory, kernel, stagingAt: memory.allocate(READER_STAGING_BYTES), files: new HeadChunkPages(data) });
  const set = await querier.select({ matchers: [], startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY });
  const values: Record<string, number[]> = {};
  for (let i = 0; i < set.seriesCount; i++) {
    const out = new SampleBuffer();
    set.read(i, out);
    values[formatLabels(set.labels(i))] = Array.from(out.values.subarray(0, out.length));
  }
  return values;
}
