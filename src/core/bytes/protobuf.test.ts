import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytesError } from './cursor.ts';
import { ProtobufReader, ProtobufWriter, WIRE } from './protobuf.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test('the examples of the encoding guide', () => {
  const number = new ProtobufReader(hex('08 96 01'));
  assert.ok(number.next());
  assert.deepEqual([number.field, number.wire, number.uint64(), number.next()], [1, WIRE.VARINT, 150, false]);
  const text = new ProtobufReader(hex('12 07 74 65 73 74 69 6e 67'));
  assert.ok(text.next());
  assert.deepEqual([text.field, text.wire, text.string(), text.next()], [2, WIRE.BYTES, 'testing', false]);
  const nested = new ProtobufReader(hex('1a 03 08 96 01'));
  assert.ok(nested.next());
  const inner = nested.message();
  assert.ok(inner.next());
  assert.deepEqual([nested.field, inner.field, inner.uint64()], [3, 1, 150]);
});

const numbers: [number, string][] = [
  [0, '08 00'], [1, '08 01'], [-1, '08 ff ff ff ff ff ff ff ff ff 01'], [-2, '08 fe ff ff ff ff ff ff ff ff 01'],
  [1_700_000_000_123, '08 fb d0 95 ff bc 31'], [-4294967296, '08 80 80 80 80 f0 ff ff ff ff 01'],
  [Number.MAX_SAFE_INTEGER, '08 ff ff ff ff ff ff ff 0f'], [-Number.MAX_SAFE_INTEGER, '08 81 80 80 80 80 80 80 f0 ff 01'],
];
for (const [value, want] of numbers) {
  test(`int64 ${value}`, () => {
    const writer = new ProtobufWriter();
    writer.int64(1, value);
    assert.deepEqual(writer.written, hex(want));
    const reader = new ProtobufReader(hex(want));
    reader.next();
    assert.equal(reader.int64(), value);
  });
}

test('what is written is read, unknown fields are skipped', () => {
  const writer = new ProtobufWriter();
  const halves = Uint32Array.of(2, 0x7ff00000);
  writer.double(1, halves, 0);
  writer.string(2000, 'é');
  writer.bytes(3, Uint8Array.of(1, 2));
  writer.uint64(4, 7);
  const message = Uint8Array.from([...writer.written, ...hex('2d 01 02 03 04')]);
  const reader = new ProtobufReader(message);
  const seen: number[] = [];
  const got = new Uint32Array(2);
  while (reader.next()) {
    seen.push(reader.field);
    if (reader.field === 1) reader.double(got, 0);
    else if (reader.field === 2000) assert.equal(reader.string(), 'é');
    else reader.skip();
  }
  assert.deepEqual(seen, [1, 2000, 3, 4, 5]);
  assert.deepEqual(got, halves);
});

const faults: [string, string, RegExp][] = [
  ['a tag of field 0', '00', /tag 0 has no field number/],
  ['a tag past 32 bits', '80 80 80 80 10', /no field number/],
  ['a cut varint', '08 80', /varint does not end/],
  ['a varint of eleven bytes', '08 80 80 80 80 80 80 80 80 80 80 01', /varint does not end/],
  ['a cut string', '12 05 61', /field 2 is cut off/],
  ['a string longer than memory', '12 ff ff ff ff ff ff ff 7f 61', /field 2 is cut off/],
  ['a cut double', '09 00', /field 1 is cut off/],
  ['a cut fixed32', '0d 00', /field 1 is cut off/],
  ['a group', '0b', /wire type 3 of field 1 is not known/],
];
for (const [claim, input, want] of faults) {
  test(`${claim} is refused`, () => {
    const reader = new ProtobufReader(hex(input));
    assert.throws(() => {
      while (reader.next()) reader.skip();
    }, (error) => error instanceof BytesError && want.test(error.message));
  });
}

test('a wire type can be demanded', () => {
  const reader = new ProtobufReader(hex('08 01'));
  reader.next();
  assert.throws(() => reader.expect(WIRE.BYTES), /field 1 has wire type 0, not 2/);
  reader.expect(WIRE.VARINT);
});
