import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HEAD_KERNELS, seededRandom } from '../../../test/kernels.ts';
import { formatFloat } from '../../core/model/float.ts';
import { readWal } from '../wal/wal-reader.ts';
import { RECORD_TYPE, SampleRecord, SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { Head } from './head.ts';

const skip = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

test('promtool reads what the head wrote', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-head-'));
  try {
    const memory = Head.createMemory(2048);
    const [, make] = HEAD_KERNELS[0]!;
    const wal = join(folder, 'wal');
    mkdirSync(wal);
    const writer = new WalWriter(wal, { compression: 'snappy' });
    const encoder = new SeriesEncoder();
    const head = new Head({
      memory,
      kernel: make(memory),
      log: { log: (series, samples) => writer.log(series.length > 0 ? [encoder.encode(series), ...samples] : samples) },
    });
    const random = seededRandom(8);
    const want: string[] = [];
    const start = 1_700_000_000_000;
    for (let scrape = 0; scrape < 200; scrape++) {
      for (const name of ['a', 'b', 'c']) {
        const value = Math.floor(random() * 1e5) / 4;
        const ref = head.series(['__name__', name, 'job', 'x']);
        head.append({ refs: Uint32Array.of(ref), times: Float64Array.of(start + scrape * 1000), values: Float64Array.of(value), count: 1 });
        want.push(`{__name__="${name}", job="x"} ${formatFloat(value)} ${start + scrape * 1000}`);
      }
      head.commit();
    }
    writer.close();
    const dump = execFileSync('promtool', ['tsdb', 'dump', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.deepEqual(dump.trim().split('\n').sort(), want.sort());
    const samples = new SampleRecord();
    let count = 0;
    readWal(wal, {
      record: (record) => {
        if (record[0] !== RECORD_TYPE.SAMPLES) return;
        samples.decode(record);
        count += samples.count;
      },
    });
    assert.equal(count, want.length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
