import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { SnappyEncoder } from '../../core/bytes/snappy.ts';
import { labelsKey, type Labels } from '../../core/model/labels.ts';
import { body, delimited, label, metadata, sample, stored, timeSeries, type TestSeries } from './_write-request.ts';
import {
  MAX_AHEAD_MS, MAX_DECODED_BYTES, MAX_REPORTED_CHARACTERS, MAX_REPORTED_FAULTS, RemoteWriteDecoder, RemoteWriteError, type DecodedWrite,
} from './remote-write.ts';
import { writeOutcome } from './write-outcome.ts';

const NOW_MS = 1_700_000_000_000;
const clock = { nowMs: () => NOW_MS, monotonicMs: () => 0 };

class Table {
  readonly labels: Labels[] = [[]];
  readonly #refs = new Map<string, number>();
  calls = 0;
  readonly decoder = new RemoteWriteDecoder((labels) => this.#resolve(labels), { clock });

  #resolve(labels: Labels): number {
    this.calls++;
    const known = this.#refs.get(labelsKey(labels));
    if (known !== undefined) return known;
    this.#refs.set(labelsKey(labels), this.labels.length);
    return this.labels.push([...labels]) - 1;
  }

  /** `{a="b"} time value`, one sample a line. */
  lines(write: DecodedWrite): string[] {
    const { refs, times, values, count } = write.columns;
    return Array.from({ length: count }, (_, i) => `${this.labels[refs[i]!]!.join(' ')} ${times[i]!} ${values[i]!}`);
  }
}

const series = (name: string, ...samples: [number, number][]): TestSeries => ({ labels: [['__name__', name], ['job', 'x']], samples });

test('samples come in columns, in the order of the request', () => {
  const table = new Table();
  const request = body(timeSeries(series('a', [1, 1], [2, 0], [3, -0.5])), timeSeries(series('b', [0, 7], [-5, Infinity])));
  const want = ['__name__ a job x 1 1', '__name__ a job x 2 0', '__name__ a job x 3 -0.5', '__name__ b job x 0 7', '__name__ b job x -5 Infinity'];
  assert.deepEqual(table.lines(table.decoder.decode(request)), want);
  assert.deepEqual(table.lines(table.decoder.decode(request)), want);
  assert.equal(table.calls, 2, 'the second time the cache knows them');
});

test('a request as prompb writes it', () => {
  // One series up{job="a"} with 1.5 at 1700000000000, written by hand from the schema.
  const hex = '0a2e 0a0e 0a085f5f6e616d655f5f 12027570 0a08 0a036a6f62 120161 1210 09000000000000f83f 1080d095ffbc31';
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  bytes[1] = bytes.length - 2;
  const table = new Table();
  assert.deepEqual(table.lines(table.decoder.decode(stored(bytes))), ['__name__ up job a 1700000000000 1.5']);
});

test('the bits of NaNs stay', () => {
  const table = new Table();
  const { columns } = table.decoder.decode(body(timeSeries({ labels: [['__name__', 'a']], samples: [[1, '7ff0000000000002'], [2, '7ff8000000000001']] })));
  assert.deepEqual([...new Uint32Array(columns.values.buffer, 0, 4)], [2, 0x7ff00000, 1, 0x7ff80000]);
});

// Whatever order or form the fields have, the series is the same.
const forms: [string, readonly number[]][] = [
  ['sample before the labels', [...sample(5, 1.5), ...label('__name__', 'a'), ...label('job', 'x')]],
  ['sample between the labels', [...label('__name__', 'a'), ...sample(5, 1.5), ...label('job', 'x')]],
  ['labels out of order', [...label('job', 'x'), ...label('__name__', 'a'), ...sample(5, 1.5)]],
  ['an empty label', [...label('__name__', 'a'), ...label('e', ''), ...label('job', 'x'), ...sample(5, 1.5)]],
  ['a label tag in two bytes, late', [...sample(5, 1.5), 0x8a, 0x00, ...label('__name__', 'a').slice(1), ...label('job', 'x')]],
  ['a label length in two bytes', [...label('__name__', 'a'), 0x0a, 0x88, 0x00, ...label('job', 'x').slice(2), ...sample(5, 1.5)]],
  ['time before value', [...label('__name__', 'a'), ...label('job', 'x'), ...delimited(2, [0x10, 5, 0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f])]],
  ['unknown fields', [...label('__name__', 'a'), ...label('job', 'x'), 0xa8, 0x06, 1, ...delimited(2, [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 5, 0x18, 9])]],
];
for (const [claim, content] of forms) {
  test(`${claim} means the same`, () => {
    const table = new Table();
    const first = timeSeries(series('a', [1, 1]));
    // Behind the plain form, so that the cache expects other series than those that come.
    const request = body(first, delimited(1, content), first);
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(table.lines(table.decoder.decode(request)), ['__name__ a job x 1 1', '__name__ a job x 5 1.5', '__name__ a job x 1 1']);
    }
  });
}

test('a series whose labels begin another one are two', () => {
  const table = new Table();
  const short = timeSeries({ labels: [['__name__', 'a']], samples: [[1, 1]] });
  const long = timeSeries({ labels: [['__name__', 'a'], ['b', 'c']], samples: [[1, 2]] });
  for (const request of [body(short, long), body(long, short), body(short, short, long, long)]) {
    const lines = table.lines(table.decoder.decode(request));
    for (const line of lines) assert.ok(line === '__name__ a 1 1' || line === '__name__ a b c 1 2', line);
  }
  assert.equal(table.labels.length - 1, 2);
});

const long = 'x'.repeat(200);
// Labels of one series, and what is said if they are invalid.
const labelCases: [string, TestSeries['labels'], string | null][] = [
  ['no label', [], 'Invalid metric names or labels'],
  ['no metric name', [['job', 'x']], 'Invalid metric names or labels'],
  ['an empty metric name', [['__name__', ''], ['job', 'x']], 'Invalid metric names or labels'],
  ['an empty label name', [['', 'x'], ['__name__', 'a']], 'Invalid metric names or labels'],
  ['a value that is not UTF-8', [['__name__', 'a'], ['b', Uint8Array.of(0x61, 0xff)]], 'Invalid metric names or labels'],
  ['a name that is not UTF-8', [['__name__', 'a'], [Uint8Array.of(0xed, 0xa0, 0x80), 'x']], 'Invalid metric names or labels'],
  ['a repeated label', [['__name__', 'a'], ['b', '1'], ['b', '2']], 'Invalid labels for series: label name "b" is repeated'],
  ['a repeated label, out of order', [['b', '1'], ['__name__', 'a'], ['b', '1']], 'Invalid labels for series: label name "b" is repeated'],
  ['any UTF-8 in names', [['__name__', 'ä.b c'], ['ü-1', '\ufffd']], null],
  ['long labels', [['__name__', long], [`z${long}`, long]], null],
];
for (const [claim, labels, want] of labelCases) {
  test(want === null ? `${claim} is taken` : `${claim}: the series is skipped and counted, the others stay`, () => {
    const table = new Table();
    const request = body(timeSeries(series('a', [1, 1])), timeSeries({ labels, samples: [[1, 2], [2, 2]] }), timeSeries(series('c', [1, 3])));
    for (let round = 0; round < 2; round++) {
      const write = table.decoder.decode(request);
      assert.deepEqual(write.faults.map((fault) => fault.message), want === null ? [] : [want]);
      assert.equal(write.invalidLabelSamples, want === null ? 0 : 2);
      assert.equal(write.columns.count, want === null ? 4 : 2);
    }
  });
}

test('of many invalid series the first are told, in short', () => {
  const table = new Table();
  const write = table.decoder.decode(body(...Array.from({ length: 30 }, () => timeSeries({ labels: [['job', 'x'.repeat(10_000)]], samples: [[1, 1]] }))));
  assert.equal(write.invalidLabelSamples, 30);
  assert.equal(write.faults.length, MAX_REPORTED_FAULTS);
  for (const fault of write.faults) assert.equal(fault.labels.length, MAX_REPORTED_CHARACTERS);
});

test('times further ahead than allowed, or no time at all, are left out and counted', () => {
  const table = new Table();
  const samples: [number | bigint, number][] = [[NOW_MS + MAX_AHEAD_MS, 1], [NOW_MS + MAX_AHEAD_MS + 1, 2], [2n ** 63n - 1n, 3], [-(2n ** 63n), 4]];
  const write = table.decoder.decode(body(timeSeries({ labels: [['__name__', 'a']], samples })));
  assert.deepEqual(table.lines(write), [`__name__ a ${NOW_MS + MAX_AHEAD_MS} 1`]);
  assert.equal(write.outOfBoundsSamples, 3);
});

test('exemplars, metadata and histograms', () => {
  const table = new Table();
  const write = table.decoder.decode(body(
    timeSeries({ ...series('a', [1, 1]), exemplars: [{ labels: [['trace_id', 'abc']], value: 0.25, timeMs: 7 }], histogramCount: 3 }),
    metadata({ type: 1, name: 'a', help: 'Counts.', unit: 's' }),
    metadata({ type: 99, name: 'b', help: '', unit: '' }),
  ));
  assert.deepEqual(write.exemplars, [{ ref: 1, labels: ['trace_id', 'abc'], value: 0.25, timeMs: 7 }]);
  assert.deepEqual(write.metadata, [{ name: 'a', type: 'counter', help: 'Counts.', unit: 's' }, { name: 'b', type: 'unknown', help: '', unit: '' }]);
  assert.equal(write.histogramSamples, 3);
  assert.equal(write.columns.count, 1);
});

test('an empty request is one', () => {
  const { columns } = new Table().decoder.decode(Uint8Array.of(0));
  assert.equal(columns.count, 0);
});

// Bodies that are no request, and the beginning of what the sender is told.
const malformed: [string, Uint8Array, RegExp][] = [
  ['nothing', new Uint8Array(0), /snappy: corrupt input/],
  ['no snappy', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /snappy: corrupt input/],
  ['a block cut off', body(timeSeries(series('a', [1, 1]))).subarray(0, 20), /snappy: corrupt input/],
  ['a bomb', Uint8Array.of(0x81, 0x80, 0x80, 0x10, 0x00, 0x00), new RegExp(`more than ${MAX_DECODED_BYTES}`)],
  ['no protobuf', stored([0xff, 0xff]), /protobuf: /],
  ['a series longer than the request', stored([0x0a, 0x05, 0x0a]), /protobuf: field 1 is cut off/],
  ['a label longer than its series', stored([0x0a, 0x03, 0x0a, 0x05, 0x61]), /protobuf: field 1 is cut off/],
  ['a label longer than its series, within the request', stored([0x0a, 0x02, 0x0a, 0x05, 0x61, 0, 0, 0, 0, 0, 0]), /protobuf: /],
  ['a label that is a number', stored(delimited(1, [...sample(1, 1), 0x08, 0x01])), /protobuf: field 1 has wire type 0, not 2/],
  ['a series that is a number', stored([0x08, 0x01]), /protobuf: field 1 has wire type 0, not 2/],
  ['a sample that is a number', stored(delimited(1, [0x10, 0x01])), /protobuf: field 2 has wire type 0, not 2/],
  ['a sample without its end', stored(delimited(1, [...label('__name__', 'a'), 0x12, 0x05, 0x10])), /protobuf: field 2 is cut off/],
  ['a time that does not end', stored(delimited(1, [...label('__name__', 'a'), ...delimited(2, [0x10, 0x80])])), /protobuf: a varint does not end/],
];
for (const [claim, input, want] of malformed) {
  test(`${claim} is refused`, () => {
    const table = new Table();
    assert.throws(() => table.decoder.decode(input), (error) => error instanceof RemoteWriteError && want.test(error.message));
    assert.deepEqual(table.lines(table.decoder.decode(body(timeSeries(series('a', [1, 1]))))), ['__name__ a job x 1 1'], 'the next request is taken');
  });
}

test('random requests: the cache changes nothing, damage is refused or read within bounds (seed 11)', () => {
  const random = seededRandom(11);
  const snappy = new SnappyEncoder();
  const pool = Array.from({ length: 40 }, (_, i) =>
    timeSeries({ labels: [['__name__', `m${i % 7}`], ['i', String(i)], ['z', 'v'.repeat(i * 8)]], samples: [[i, i], [i + 1, 0]] }),
  );
  const kept = new Table();
  for (let round = 0; round < 300; round++) {
    const message = Uint8Array.from(Array.from({ length: 30 }, () => pool[Math.floor(random() * pool.length)]!).flat());
    const fresh = new Table();
    const input = snappy.encode(message).slice();
    assert.deepEqual(kept.lines(kept.decoder.decode(input)), fresh.lines(fresh.decoder.decode(input)));
    for (let flips = 0; flips < 3; flips++) message[Math.floor(random() * message.length)]! ^= 1 << Math.floor(random() * 8);
    try {
      const { columns } = kept.decoder.decode(stored(message));
      assert.ok(columns.count <= message.length / 4);
    } catch (error) {
      assert.ok(error instanceof RemoteWriteError, String(error));
    }
  }
});

const none = { appended: 0, appendedOutOfOrder: 0, identical: 0, duplicate: 0, outOfOrder: 0, outOfBounds: 0, tooOld: 0 };
// What the decoder left out and the head refused, and the answer.
const outcomes: [string, Partial<DecodedWrite>, Partial<typeof none>, string][] = [
  ['all stored', {}, { appended: 5, identical: 2 }, '204 '],
  ['invalid labels', { invalidLabelSamples: 3 }, { appended: 2 }, '204 '],
  ['out of order', {}, { appended: 2, outOfOrder: 2 }, '400 out of order sample (2 samples)'],
  ['several', { histogramSamples: 1, outOfBoundsSamples: 4 }, { duplicate: 1, outOfBounds: 9 },
    '400 duplicate sample for timestamp (1 sample); out of bounds (9 samples); out of bounds: timestamp is too far in the future (4 samples); native histograms are not stored (1 sample)'],
];
for (const [claim, decoded, counts, want] of outcomes) {
  test(`the answer to a request: ${claim}`, () => {
    const write = { ...new Table().decoder.decode(Uint8Array.of(0)), ...decoded };
    const { status, message } = writeOutcome(write, { ...none, ...counts });
    assert.equal(`${status} ${message}`, want);
  });
}
