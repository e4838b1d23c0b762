/**
 * What a head costs: creating 100k series of 13 labels, appending to them scrape by scrape, reading them back.
 * Seeded; prints ns per operation, bytes per series and a hash of what was read. Run by hand: node src/store/head/head.bench.ts [series]
 */
import { HEAD_KERNELS } from '../../../test/kernels.ts';
import { labelsFromObject } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { Head } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { READER_STAGING_BYTES } from './series-chunks.ts';

const seriesCount = Number(process.argv[2] ?? 100_000);
const SCRAPES = 30;
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

for (const [name, make] of HEAD_KERNELS) {
  const memory = Head.createMemory();
  const kernel = make(memory);
  const staging = READER_STAGING_BYTES;
  const head = new Head({ memory, kernel, log: { log: () => {} } });
  const querier = new HeadQuerier({ linear: memory, kernel, stagingAt: memory.allocate(staging), files: { read: () => 0, forgetBefore: () => {} } });
  const base = memory.usedBytes;
  const labelSets = Array.from({ length: seriesCount }, (_, i) =>
    labelsFromObject({
      __name__: `metric_${i % 50}_total`,
      cluster: 'eu-1',
      namespace: `ns-${Math.floor(i / 5000)}`,
      pod: `api-${Math.floor(i / 50)}-x7f9c`,
      container: 'app',
      instance: `10.0.${Math.floor(i / 12_800)}.${Math.floor(i / 50) % 256}:9090`,
      job: 'pods',
      node: `node-${Math.floor(i / 500)}`,
      version: 'v1.4.2',
      region: 'west',
      method: ['GET', 'POST'][i % 2]!,
      code: ['200', '404', '500'][i % 3]!,
      team: `t${Math.floor(i / 9000)}`,
    }),
  );
  let began = performance.now();
  const refs = Uint32Array.from(labelSets, (labels) => head.series(labels));
  print(`${name}: create ${((performance.now() - began) * 1e6) / seriesCount | 0} ns a series, ${((memory.usedBytes - base) / seriesCount) | 0} bytes a series`);
  const times = new Float64Array(seriesCount);
  const values = new Float64Array(seriesCount);
  began = performance.now();
  for (let s = 0; s < SCRAPES; s++) {
    times.fill(1_700_000_000_000 + s * 5000);
    for (let i = 0; i < seriesCount; i++) values[i] = i % 3 === 0 ? 1 : i + s * (i % 17);
    head.append({ refs, times, values, count: seriesCount });
    head.commit();
  }
  print(`${name}: append and encode ${((performance.now() - began) * 1e6) / seriesCount / SCRAPES | 0} ns a sample, ${((memory.usedBytes - base) / seriesCount) | 0} bytes a series`);
  const out = new SampleBuffer();
  began = performance.now();
  const set = await querier.select({ matchers: [{ name: '__name__', op: '=~', value: 'metric_1.*' }], startMs: 0, endMs: 1e15 });
  const selected = performance.now();
  let sum = 0;
  let samples = 0;
  for (let i = 0; i < set.seriesCount; i++) {
    out.clear();
    set.read(i, out);
    samples += out.length;
    sum += out.values[out.length - 1]!;
  }
  const read = performance.now();
  let labelCount = 0;
  for (let i = 0; i < set.seriesCount; i++) labelCount += set.labels(i).length;
  print(
    `${name}: select ${((selected - began) * 1e6 / set.seriesCount) | 0} ns, read ${((read - selected) * 1e6 / set.seriesCount) | 0} ns (${((read - selected) * 1e6 / samples).toFixed(1)} ns a sample), ` +
      `labels ${((performance.now() - read) * 1e6 / set.seriesCount) | 0} ns a series; hash ${sum % 1_000_003}:${samples}:${labelCount}`,
  );
}
