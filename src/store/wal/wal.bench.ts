/**
 * Measures the WAL: encoding, framing and handing to the operating system, without compression, with it, and with the kernel for it, and reading it back.
 * A call logs one scrape of 5,000 counters and gauges. Prints nanoseconds and bytes a sample, and a hash of what was read.
 *
 * Run: node src/store/wal/wal.bench.ts [scrapes]
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { createSnappyKernel } from '../../../test/kernels.ts';
import { readWal } from './wal-reader.ts';
import { encodeSamples, SampleRecord } from './wal-records.ts';
import { WalWriter } from './wal-writer.ts';

const scrapes = Number(process.argv[2] ?? 20);
const SERIES = 5000;
const VARIANTS = [
  ['none', 'none', undefined],
  ['snappy', 'snappy', undefined],
  ['snappy kernel', 'snappy', createSnappyKernel()],
] as const;
const refs = Array.from({ length: SERIES }, (_, i) => i + 1);
const times = new Float64Array(SERIES);
const values = new Float64Array(SERIES);

for (const [name, compression, encoder] of VARIANTS) {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-wal-bench-'));
  const writer = new WalWriter(folder, { compression, ...(encoder ? { encoder } : {}) });
  const out = new BinaryWriter();
  let encodeMs = 0;
  let logMs = 0;
  for (let scrape = 0; scrape < scrapes; scrape++) {
    times.fill(1_700_000_000_000 + scrape * 15_000);
    for (let i = 0; i < SERIES; i++) values[i] = i % 2 === 0 ? i * 1000 + scrape * (i % 17) : ((i * 7919 + scrape * 104_729) % 10_000) / 100;
    const start = performance.now();
    out.clear();
    encodeSamples(refs, times, values, 0, SERIES, out);
    const encoded = performance.now();
    writer.log([out.written]);
    logMs += performance.now() - encoded;
    encodeMs += encoded - start;
  }
  writer.close();
  const samples = new SampleRecord();
  let hash = 0;
  const start = performance.now();
  const faults = readWal(folder, {
    record: (record) => {
      samples.decode(record);
      hash = crc32c(new Uint8Array(samples.values.buffer, 0, samples.count * 8), 0, 64, hash);
    },
  });
  const readMs = performance.now() - start;
  const total = scrapes * SERIES;
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  rmSync(folder, { recursive: true });
  const perSample = (ms: number): string => ((ms * 1e6) / total).toFixed(1);
  process.stdout.write(
    `${name}: encode ${perSample(encodeMs)} ns/sample, log ${perSample(logMs)}, read ${perSample(readMs)}, ` +
      `${(bytes / total).toFixed(2)} bytes/sample, ${faults.length} faults, hash ${hash.toString(16)}\n`,
  );
}
