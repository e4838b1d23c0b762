import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { BytesError } from '../../core/bytes/cursor.ts';
import {
  decodeExemplars, decodeMetadata, decodeSeries, decodeTombstones, encodeExemplars, encodeMetadata, encodeSamples, encodeTombstones,
  isHistograms, RECORD_TYPE, SampleRecord, scanHistograms, SeriesEncoder,
} from './wal-records.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function record(write: (out: BinaryWriter) => void): Uint8Array {
  const out = new BinaryWriter();
  write(out);
  return out.written.slice();
}

const SERIES = [{ walRef: 1, labels: ['__name__', 'up', 'job', 'ä'] }, { walRef: 2 ** 40, labels: ['a', 'v'.repeat(200)] }];
const TOMBSTONES = [{ walRef: 7, minTimeMs: -5, maxTimeMs: 1_700_000_000_000 }];
const EXEMPLARS = [
  { walRef: 9, timeMs: 1_700_000_000_000, value: 0.25, labels: ['trace_id', 'abc'] },
  { walRef: 3, timeMs: 1_699_999_999_000, value: -1, labels: [] },
];
const METADATA = [{ walRef: 300, type: 'counter', unit: 's', help: 'Ünits "x"\n' }, { walRef: 1, type: 'unknown', unit: '', help: '' }];
const REFS = [5, 4, 2 ** 40];
const TIMES = Float64Array.of(1_700_000_000_000, 1_700_000_000_001, 1_699_999_000_000);
const VALUES = Float64Array.of(1.5, 0, 0);
new Uint32Array(VALUES.buffer).set([2, 0x7ff00000], 2);

// Each record as its layout says, written by hand.
const goldens: [string, Uint8Array, string][] = [
  ['series', new SeriesEncoder().encode([{ walRef: 258, labels: ['a', 'bc'] }]).slice(), '01 0000000000000102 01 01 61 02 6263'],
  ['samples', record((out) => encodeSamples(REFS, TIMES, VALUES, 0, 2, out)),
    '02 0000000000000005 0000018bcfe56800 00 00 3ff8000000000000 01 02 7ff0000000000002'],
  ['tombstones', record((out) => encodeTombstones([{ walRef: 7, minTimeMs: -5, maxTimeMs: 64 }], out)), '03 0000000000000007 09 8001'],
  ['exemplars', record((out) => encodeExemplars([{ walRef: 9, timeMs: 1, value: 0.25, labels: ['t', 'x'] }], out)),
    '04 0000000000000009 0000000000000001 00 00 3fd0000000000000 01 01 74 01 78'],
  ['metadata', record((out) => encodeMetadata([{ walRef: 300, type: 'counter', unit: 's', help: 'h' }], out)),
    '06 ac02 01 02 04 554e4954 01 73 04 48454c50 01 68'],
];
for (const [kind, got, want] of goldens) test(`${kind} as bytes`, () => assert.deepEqual(got, bytes(want)));

/** What a decoder gives, entry by entry. */
const kinds: [string, Uint8Array, (input: Uint8Array, entry: (value: unknown) => void) => void, unknown[]][] = [
  ['series', new SeriesEncoder().encode(SERIES).slice(), (input, entry) => decodeSeries(input, (walRef, labels) => entry({ walRef, labels })), SERIES],
  ['tombstones', record((out) => encodeTombstones(TOMBSTONES, out)), (input, entry) => decodeTombstones(input, entry), TOMBSTONES],
  ['exemplars', record((out) => encodeExemplars(EXEMPLARS, out)), (input, entry) => decodeExemplars(input, entry), EXEMPLARS],
  ['metadata', record((out) => encodeMetadata(METADATA, out)), (input, entry) => decodeMetadata(input, entry), METADATA],
];
for (const [kind, input, decode, want] of kinds) {
  test(`${kind} come back; a cut record gives the entries before the cut`, () => {
    for (let length = 1; length <= input.length; length++) {
      const got: unknown[] = [];
      try {
        decode(input.subarray(0, length), (value) => void got.push(value));
      } catch (error) {
        assert.ok(error instanceof BytesError, String(error));
      }
      assert.deepEqual(got, want.slice(0, got.length), `cut to ${length}`);
      assert.equal(got.length === want.length, length === input.length, `cut to ${length}`);
    }
  });
}

test('samples come back with their bits; a cut record is refused', () => {
  const input = record((out) => encodeSamples(REFS, TIMES, VALUES, 0, 3, out));
  const samples = new SampleRecord();
  samples.decode(input);
  assert.deepEqual([...samples.walRefs.subarray(0, samples.count)], REFS);
  assert.deepEqual(samples.times.subarray(0, samples.count), TIMES);
  assert.deepEqual(new Uint32Array(samples.values.buffer, 0, 6), new Uint32Array(VALUES.buffer));
  for (let length = 2; length < input.length; length++) {
    // Two of three samples may end where the record is cut.
    try {
      samples.decode(input.subarray(0, length));
      assert.ok(length === 17 || samples.count < 3);
    } catch (error) {
      assert.ok(error instanceof BytesError, String(error));
    }
  }
});

test('more samples than the columns had room for', () => {
  const count = 10_000;
  const refs = Array.from({ length: count }, (_, i) => i + 1);
  const times = Float64Array.from(refs, (ref) => 1000 + ref);
  const values = Float64Array.from(refs, (ref) => ref / 8);
  const samples = new SampleRecord();
  samples.decode(record((out) => encodeSamples(refs, times, values, 0, count, out)));
  assert.equal(samples.count, count);
  assert.deepEqual(samples.times.subarray(0, count), times);
  assert.deepEqual(samples.values.subarray(0, count), values);
});

test('a tombstone of all times is read rounded', () => {
  decodeTombstones(bytes('03 0000000000000007 ffffffffffffffffff01 feffffffffffffffff01'), ({ minTimeMs, maxTimeMs }) => {
    assert.deepEqual([minTimeMs, maxTimeMs], [-(2 ** 63), 2 ** 63]);
  });
});

// After the bases: ref, time, hint, schema, zero threshold, zero count, count, sum, spans, buckets.
const BASES = '0000000000000001 00000000000003e8';
const FLOAT = '0000000000000000';
const histograms: [string, string, number, number][] = [
  ['integers', `07 ${BASES} 00 00 00 06 ${FLOAT} 02 0a ${FLOAT} 01 00 02 00 02 02 04 00 02 14 00 06 ${FLOAT} 00 00 ${FLOAT} 00 00 00 00`, 2, 1010],
  ['floats', `08 ${BASES} 00 00 00 06 ${FLOAT} ${FLOAT} ${FLOAT} ${FLOAT} 01 00 02 00 02 ${FLOAT} ${FLOAT} 00`, 1, 1000],
  ['integers with custom bounds', `09 ${BASES} 00 00 00 69 ${FLOAT} 00 01 ${FLOAT} 01 00 01 00 01 02 00 01 ${FLOAT}`, 1, 1000],
  ['floats with custom bounds', `0a ${BASES} 00 00 00 69 ${FLOAT} ${FLOAT} ${FLOAT} ${FLOAT} 01 00 01 00 01 ${FLOAT} 00 01 ${FLOAT}`, 1, 1000],
  ['nothing', '07', 0, Number.NEGATIVE_INFINITY],
];
for (const [kind, hex, count, maxTimeMs] of histograms) {
  test(`histograms of ${kind} are counted`, () => {
    const input = bytes(hex);
    assert.ok(isHistograms(input[0]!));
    assert.deepEqual(scanHistograms(input), { count, maxTimeMs });
    if (count === 1) for (let length = 2; length < input.length; length++) if (length !== 17) assert.throws(() => scanHistograms(input.subarray(0, length)), BytesError);
  });
}

test('a count that the record has no bytes for ends at once', () => {
  assert.throws(() => decodeSeries(bytes('01 0000000000000001 ffffffffffff0f'), () => {}), BytesError);
  assert.throws(() => scanHistograms(bytes(`08 ${BASES} 00 00 00 06 ${FLOAT} ${FLOAT} ${FLOAT} ${FLOAT} ffffffffffff0f`)), BytesError);
  assert.throws(() => decodeSeries(bytes('01 ffffffffffffffff 00'), () => {}), /number is too large/);
  assert.equal(isHistograms(RECORD_TYPE.SAMPLES), false);
});
