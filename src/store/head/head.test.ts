import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAD_KERNELS, seededRandom } from '../../../test/kernels.ts';
import { formatLabels, labelsFromObject, type Labels } from '../../core/model/labels.ts';
import type { Matcher, MatchOp } from '../../core/model/matcher.ts';
import { compileMatcher } from '../../core/model/matcher.ts';
import { labelValue } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { Head, SeriesLimitError, type LoggedSeries } from './head.ts';
import { HeadQuerier } from './head-querier.ts';
import { READER_STAGING_BYTES } from './series-chunks.ts';

const [, makeKernel] = HEAD_KERNELS[0]!;
const ALWAYS = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };

interface Place {
  bytes: Uint8Array;
}

function open(seriesLimit = 0): { head: Head; querier: HeadQuerier; logged: LoggedSeries[]; records: Uint8Array[]; places: Place[] } {
  const memory = Head.createMemory(4096);
  const kernel = makeKernel(memory);
  const logged: LoggedSeries[] = [];
  const records: Uint8Array[] = [];
  const head = new Head({
    memory,
    kernel,
    seriesLimit,
    log: {
      log: (series, samples) => {
        logged.push(...series);
        records.push(...samples.map((record) => record.slice()));
      },
    },
  });
  const places: Place[] = [];
  const querier = new HeadQuerier({
    linear: memory,
    kernel,
    stagingAt: memory.allocate(READER_STAGING_BYTES),
    files: {
      read: (file, offset, out, at) => {
        assert.equal(file, 1);
        out.set(places[offset]!.bytes, at);
        return places[offset]!.bytes.length;
      },
      forgetBefore: () => {},
    },
  });
  return { head, querier, logged, records, places };
}

const append = (head: Head, ref: number, samples: readonly (readonly [number, number])[]): unknown =>
  head.append({
    refs: new Uint32Array(samples.length).fill(ref),
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
    count: samples.length,
  });

const matcher = (text: string): Matcher => {
  const [, name, op, value] = /^([^=!]+)(=~|!~|!=|=)(.*)$/.exec(text)!;
  return { name: name!, op: op as MatchOp, value: value! };
};

function fill(head: Head): Labels[] {
  const all: Labels[] = [];
  for (const name of ['up', 'http_requests_total', 'go_goroutines']) {
    for (const job of ['api', 'db', 'a.b|c']) {
      for (const instance of ['1', '2', '3', 'ünï😀']) {
        all.push(labelsFromObject({ __name__: name, job, instance, ...(job === 'api' ? { zone: `z${instance}` } : {}) }));
      }
    }
  }
  for (const labels of all) append(head, head.series(labels), [[1000, 1]]);
  head.commit();
  return all;
}

const selections = [
  '__name__=up',
  '__name__=up job=api',
  '__name__=missing',
  'job=api instance=2',
  'job!=api __name__=up',
  'zone= __name__=up',
  'zone!= __name__=up',
  'zone=~z1|z2',
  'zone=~.*1 __name__=~up|go_goroutines',
  '__name__=~.+',
  '__name__=~go.* instance!~1|2',
  'nothing= __name__=up',
  'nothing!~.+ __name__=up',
  'job=a.b|c',
  'job=~a.b.c',
  'instance=ünï😀',
];

test('a selection is what a scan of all label sets finds', async () => {
  const { head, querier } = open();
  const all = fill(head);
  for (const text of selections) {
    const matchers = text.split(' ').map(matcher);
    const compiled = matchers.map(compileMatcher);
    const want = all.filter((labels) => compiled.every((m) => m.matches(labelValue(labels, m.name)))).map(formatLabels);
    const got = (await querier.series({ matchers, ...ALWAYS })).map(formatLabels);
    assert.deepEqual(got.sort(), want.sort(), text);
  }
});

test('label names and values come sorted, also under matchers', async () => {
  const { head, querier } = open();
  fill(head);
  assert.deepEqual(await querier.labelNames({ matchers: [], ...ALWAYS }), ['__name__', 'instance', 'job', 'zone']);
  assert.deepEqual(await querier.labelNames({ matchers: [matcher('job=db')], ...ALWAYS }), ['__name__', 'instance', 'job']);
  assert.deepEqual(await querier.labelValues('zone', { matchers: [matcher('instance=~1|3')], ...ALWAYS }), ['z1', 'z3']);
  assert.deepEqual(await querier.labelValues('job', { matchers: [], ...ALWAYS }), ['a.b|c', 'api', 'db']);
  assert.deepEqual(await querier.labelValues('none', { matchers: [], ...ALWAYS }), []);
});

test('series added while a reader is open are seen by its next call', async () => {
  const { head, querier } = open();
  assert.deepEqual(await querier.series({ matchers: [matcher('job=a')], ...ALWAYS }), []);
  for (let i = 0; i < 10_000; i++) append(head, head.series(['instance', String(i), 'job', i % 2 === 0 ? 'a' : 'b']), [[1000, i]]);
  assert.equal((await querier.series({ matchers: [matcher('job=a')], ...ALWAYS })).length, 5000);
  assert.equal(head.series(['instance', '77', 'job', 'b']), 78, 'a known series keeps its ref');
});

test('a range spans files and memory, in order and exact', async () => {
  const { head, querier, places } = open();
  const random = seededRandom(5);
  const ref = head.series(['__name__', 'x']);
  const samples = Array.from({ length: 1000 }, (_, i) => [1_700_000_000_000 + i * 5000, Math.floor(random() * 1e6)] as const);
  append(head, ref, samples);
  head.commit();
  const sink = { write: ({ bytes }: Place) => ({ file: 1, offset: places.push({ bytes: bytes.slice() }) - 1 }), flush: () => {} };
  assert.equal(head.flushChunks(sink, 5), 5);
  const out = new SampleBuffer(1);
  for (const [from, to] of [[0, 999], [3, 130], [119, 120], [700, 999], [999, 999]] as const) {
    out.clear();
    const set = await querier.select({ matchers: [matcher('__name__=x')], startMs: samples[from]![0], endMs: samples[to]![0] });
    assert.equal(set.seriesCount, 1);
    set.read(0, out);
    assert.deepEqual(Array.from({ length: out.length }, (_, i) => [out.times[i], out.values[i]]), samples.slice(from, to + 1));
  }
  const before = await querier.select({ matchers: [matcher('__name__=x')], startMs: samples[999]![0] + 1, endMs: 1e15 });
  assert.equal(before.seriesCount, 0);
});

test('a commit hands new series and sample records to the log once', () => {
  const { head, logged, records } = open();
  const a = head.series(['__name__', 'a']);
  const b = head.series(['__name__', 'b']);
  append(head, a, [[1000, 1]]);
  append(head, b, [[1000, 2], [1000, 3]]);
  head.commit();
  head.commit();
  assert.deepEqual(logged, [{ walRef: 1, labels: ['__name__', 'a'] }, { walRef: 2, labels: ['__name__', 'b'] }]);
  assert.deepEqual(records.map((record) => record.length), [27, 27]);
  append(head, b, [[900, 1]]);
  head.commit();
  assert.equal(records.length, 2, 'nothing taken, nothing logged');
});

test('what a failed commit could not log goes with the next, and nothing is taken past the buffer', () => {
  const memory = Head.createMemory(8192);
  const seen: string[] = [];
  let records = 0;
  let fail = true;
  const head = new Head({
    memory,
    kernel: makeKernel(memory),
    log: {
      log: (series, samples) => {
        if (fail) throw new Error('disk full');
        seen.push(...series.map(({ labels }) => formatLabels(labels)));
        records += samples.length;
      },
    },
  });
  const ref = head.series(['__name__', 'a']);
  append(head, ref, [[1000, 1]]);
  assert.throws(() => head.commit(), /disk full/);
  const batch = 65_536;
  const columns = { refs: new Uint32Array(batch).fill(ref), times: new Float64Array(batch), values: new Float64Array(batch), count: batch };
  let taken = 0;
  assert.throws(() => {
    for (;;) {
      columns.times = Float64Array.from({ length: batch }, (_, i) => 2000 + (taken * batch + i) * 1000);
      head.append(columns);
      taken++;
    }
  }, /disk full/);
  assert.ok(taken > 0);
  const newest = head.maxTimeMs;
  assert.equal(newest, 2000 + (taken * batch - 1) * 1000, 'what was refused is not in memory either');
  fail = false;
  head.commit();
  assert.deepEqual(seen, ['a']);
  assert.equal(records, taken + 1);
});

test('the series limit refuses new series and keeps known ones', () => {
  const { head } = open(2);
  const a = head.series(['a', '1']);
  head.series(['a', '2']);
  assert.throws(() => head.series(['a', '3']), SeriesLimitError);
  assert.equal(head.series(['a', '1']), a);
});
