/**
 * The kernel and its twin called directly: what they take alone, and that their floats are the nearest ones.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BOUND, CACHE, createExpositionKernel, ENTRY, MODE, NONE, STATE, STOP } from './exposition-kernel.ts';
import { createExpositionTwin } from './exposition-twin.ts';
import { KERNEL_RESERVED_BYTES } from './kernels.ts';
import { LinearMemory } from './linear-memory.ts';

const SEED = 99;
const CAPACITY = 4096;

/** A cache that knows the series `a` (ref 7), and bodies of its lines. */
class Bench {
  readonly memory = LinearMemory.create(KERNEL_RESERVED_BYTES);
  readonly kernel;
  readonly cache: number;
  readonly state: number;
  readonly #body: number;
  #scrape = 0;

  constructor(implementation: 'kernel' | 'twin') {
    const { memory } = this;
    const wasm = new URL('../../../build/kernels/exposition.wasm', import.meta.url);
    this.kernel =
      implementation === 'kernel'
        ? createExpositionKernel(new WebAssembly.Module(readFileSync(wasm)), memory, SEED)
        : createExpositionTwin(memory, SEED);
    this.cache = memory.allocate(64);
    this.state = memory.allocate(64);
    const entries = memory.allocate(64);
    const table = memory.allocate(64);
    const bytes = memory.allocate(64);
    memory.u8[bytes] = 0x61;
    this.#set(this.cache, CACHE.entries, entries);
    this.#set(this.cache, CACHE.entryCount, 1);
    this.#set(this.cache, CACHE.table, table);
    this.#set(this.cache, CACHE.slots, 3);
    this.#set(entries, ENTRY.bytes, bytes);
    this.#set(entries, ENTRY.lengthAndFlags, 1);
    this.#set(entries, ENTRY.ref, 7);
    this.kernel.link(this.cache, 0);
    this.#set(this.state, STATE.refs, memory.allocate(CAPACITY * 4));
    this.#set(this.state, STATE.times, memory.allocate(CAPACITY * 8));
    this.#set(this.state, STATE.values, memory.allocate(CAPACITY * 8));
    this.#set(this.state, STATE.capacity, CAPACITY);
    this.#body = memory.allocate(1_000_000);
  }

  #set(address: number, word: number, value: number): void {
    this.memory.u32[(address >>> 2) + word] = value;
  }

  get(word: number): number {
    return this.memory.u32[(this.state >>> 2) + word]!;
  }

  parse(body: string, mode: number = MODE.honorTimestamps): number {
    const { memory } = this;
    const bytes = Buffer.from(`${body}\n`, 'latin1');
    memory.u8.set(bytes, this.#body);
    this.#set(this.state, STATE.position, this.#body);
    this.#set(this.state, STATE.end, this.#body + bytes.length - 1);
    this.#set(this.state, STATE.mode, mode);
    this.#set(this.state, STATE.scrape, ++this.#scrape);
    this.#set(this.state, STATE.bound, BOUND.other);
    this.#set(this.state, STATE.previous, NONE);
    for (const word of [STATE.count, STATE.lines, STATE.kept, STATE.duplicates]) this.#set(this.state, word, 0);
    memory.f64[(this.state >>> 3) + STATE.timeMs / 2] = 5000;
    return this.kernel.parse(this.cache, this.state);
  }

  get offset(): number {
    return this.get(STATE.position) - this.#body;
  }
  get values(): Float64Array {
    const at = this.get(STATE.values) >>> 3;
    return this.memory.f64.slice(at, at + this.get(STATE.count));
  }
  get times(): Float64Array {
    const at = this.get(STATE.times) >>> 3;
    return this.memory.f64.slice(at, at + this.get(STATE.count));
  }
}

/** Decimal texts whose nearest floats are hard to find, and plain ones. */
function floatTexts(): string[] {
  const texts = [
    '0', '-0', '1', '+1', '1.', '.5', '-.5e1', '00012.500', '1e22', '1e24', '1e-22', '1e-23', '9007199254740992', '9007199254740993', '9007199254740995', '4503599627370497.5', '-9007199254740993e0', '1e23',
    '1.7976931348623157e308', '2.2250738585072014e-308', '4.35', '0.1', '123456789012345678', '1234567890123456789',
    '9223372036854775807', '9999999999999999999', '1e0', '1E5', '1e+05', '8.5e-05', '5e-1', '6250000000000000000e-3', '7.2057594037927933e16',
  ]; // prettier-ignore
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const bits = new Uint32Array(2);
  const float = new Float64Array(bits.buffer);
  while (texts.length < 3500) {
    bits[0] = next();
    bits[1] = next();
    const value = float[0]!;
    // Results below the normal range and more than 19 digits are for the full parser.
    if (!Number.isFinite(value) || Math.abs(value) < 1e-300 || (Math.abs(value) >= 1e19 && Math.abs(value) < 1e21)) continue;
    texts.push(String(value), value.toPrecision(1 + (next() % 17)), String(next() / 1000));
  }
  return texts;
}

for (const implementation of ['kernel', 'twin'] as const) {
  test(`${implementation}: up to 19 digits become the nearest float without help`, () => {
    const bench = new Bench(implementation);
    const texts = floatTexts();
    // Times make each line a sample of its own.
    const stop = bench.parse(texts.map((text, i) => `a ${text} ${i}\n`).join(''));
    assert.equal(stop, STOP.end, `stopped at ${texts[bench.get(STATE.lines)]!}`);
    const values = bench.values;
    assert.equal(values.length, texts.length);
    for (const [i, text] of texts.entries()) assert.ok(Object.is(values[i], Number(text)), `${text}: ${values[i]!}`);
  });

  test(`${implementation}: special values have the bits of the formats`, () => {
    const bench = new Bench(implementation);
    assert.equal(bench.parse('a NaN 1\na Inf 2\na +Inf 3\na -Inf 4'), STOP.end);
    const bits = new Uint32Array(bench.values.buffer);
    assert.deepEqual([bits[0], bits[1]], [1, 0x7ff80000]);
    assert.deepEqual(Array.from(bench.values.subarray(1)), [Infinity, Infinity, -Infinity]);
  });

  test(`${implementation}: what is not normal or has more digits is right or left to the full parser`, () => {
    for (const text of ['5e-324', '2e-320', '2.2250738585072011e-308', '100000000000000000000', '0.10000000000000000555']) {
      const bench = new Bench(implementation);
      if (bench.parse(`a ${text}`) === STOP.end) assert.equal(bench.values[0], Number(text), text);
      else assert.equal(bench.offset, 0);
    }
  });

  // Each stops the kernel at the line's start: the full parser decides.
  const odd = [
    'a', 'a ', 'a x', 'a 1x', 'a 1_0', 'a 0x1', 'a 1e', 'a 1e+', 'a .', 'a -', 'a --1', 'a nan', 'a +NaN', 'a -NaN', 'a NaNa', 'a inf',
    'a 1e999', 'a -1e999', 'a 1e99999999999', 'a 1 -1', 'a 1 1.5', 'a 1 1 1', 'a 1 12345678901234567', 'a 1 x', 'a 1\r', 'a 1{', 'a1 1', 'ab 1', 'a{} 1',
    ' a 1', 'a 1\u0000', 'b 1', 'a\u00001', '# HELP a x', '# TYPE a gauge', '#  HELP a x', 'a 1 # {} 1', 'a-1', 'a"1"', '{a} 1', '\u0000',
  ]; // prettier-ignore
  for (const line of odd) {
    test(`${implementation}: leaves ${JSON.stringify(line)} to the full parser`, () => {
      const bench = new Bench(implementation);
      for (const body of [`a 1 5\n${line}\na 2 6\n`, `a 1 5\n${line}`]) {
        assert.equal(bench.parse(body), STOP.line);
        assert.deepEqual([bench.offset, bench.get(STATE.count), bench.get(STATE.lines)], [6, 1, 1]);
      }
    });
  }

  const fine: readonly (readonly [string, number[], number[]])[] = [
    ['a 1', [1], [5000]],
    ['a\t1\t\n\n\na 2 3', [1, 2], [5000, 3]],
    ['a  1  7  ', [1], [7]],
    ['# free\n#\n#HELP a\na 1', [1], [5000]],
    ['', [], []],
    ['\n\n', [], []],
    ['a 1\na 2', [1], [5000]],
    ['a 1 4\na 2 5', [1, 2], [4, 5]],
  ];
  for (const [body, values, times] of fine) {
    test(`${implementation}: reads ${JSON.stringify(body)} alone`, () => {
      const bench = new Bench(implementation);
      assert.equal(bench.parse(body), STOP.end);
      assert.deepEqual([[...bench.values], [...bench.times]], [values, times]);
    });
  }

  test(`${implementation}: times that are not honoured make no second sample`, () => {
    const bench = new Bench(implementation);
    assert.equal(bench.parse('a 1 4\na 2 5', 0), STOP.end);
    assert.deepEqual([[...bench.values], [...bench.times], bench.get(STATE.duplicates)], [[1], [5000], 1]);
  });

  test(`${implementation}: stops at full columns and goes on where it stopped`, () => {
    const bench = new Bench(implementation);
    assert.equal(bench.parse(Array.from({ length: CAPACITY + 2 }, (_, i) => `a ${i} ${i}\n`).join('')), STOP.full);
    assert.deepEqual([bench.get(STATE.count), bench.get(STATE.lines)], [CAPACITY, CAPACITY]);
    bench.memory.u32[(bench.state >>> 2) + STATE.count] = 0;
    assert.equal(bench.kernel.parse(bench.cache, bench.state), STOP.end);
    assert.deepEqual([...bench.values], [CAPACITY, CAPACITY + 1]);
  });

  test(`${implementation}: finds an entry by its bytes and kind`, () => {
    const bench = new Bench(implementation);
    bench.parse('ab');
    const at = bench.get(STATE.position);
    assert.equal(bench.kernel.find(bench.cache, at, 1, 0, BOUND.other), 0);
    assert.equal(bench.kernel.find(bench.cache, at + 1, 1, 0, BOUND.other), NONE);
    assert.equal(bench.kernel.find(bench.cache, at, 2, 0, BOUND.other), NONE);
    assert.equal(bench.kernel.find(bench.cache, at, 1, 4 << 24, BOUND.other), NONE);
  });
}
