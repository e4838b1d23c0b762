/**
 * Text as bytes, in pieces: what query answers are written with.
 *
 * Digits go straight into a byte array instead of through strings, which for answers of a million samples is most of the
 * work. Callers write freely and ask `isFull` now and then; the array grows where one text is larger than a piece.
 */
import { formatFloat } from '../../core/model/float.ts';

/** Size from which a piece is handed on. */
export const PIECE_BYTES = 128 * 1024;
/** Room behind a full piece for what is written between two looks at `isFull`. */
const SLACK_BYTES = 16 * 1024;
/** A first array for the many answers that are small. */
const FIRST_BYTES = 4 * 1024;
/** No number or timestamp is longer. */
const MAX_NUMBER_BYTES = 32;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
/** The two digits of 0 to 99. */
const PAIRS = Uint8Array.from({ length: 200 }, (_, i) => ZERO + (i % 2 === 0 ? Math.floor(i / 20) : (i >> 1) % 10));
/** Numerators up to here have at most 15 digits: then a decimal that reads back as the float is the shortest one. */
const MAX_EXACT_NUMERATOR = 1e15;

const encoder = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(0);
  /** Size of the next array that starts a piece. */
  #startBytes = FIRST_BYTES;
  #length = 0;
  #lastValue = Number.NaN;
  #lastText = '';

  get isFull(): boolean {
    return this.#length >= PIECE_BYTES;
  }

  /** What was written since the last call. The caller owns it; the writer goes on in a new array. */
  take(): Uint8Array<ArrayBuffer> {
    const piece = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#startBytes = PIECE_BYTES + SLACK_BYTES;
    this.#length = 0;
    return piece;
  }

  byte(code: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = code;
  }

  text(text: string): void {
    this.#reserve(text.length * 3);
    const bytes = this.#bytes;
    let at = this.#length;
    if (text.length <= 48) {
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      if (i === text.length) {
        this.#length = at;
        return;
      }
    }
    this.#length += encoder.encodeInto(text, bytes.subarray(this.#length)).written;
  }

  /** Milliseconds as seconds: no fraction, or three decimals, as Prometheus prints times of vectors and matrices. */
  timestamp(ms: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    let rest = ms;
    if (rest < 0) {
      this.#bytes[this.#length++] = MINUS;
      rest = -rest;
    }
    const seconds = Math.floor(rest / 1000);
    const fraction = rest - seconds * 1000;
    this.#integer(seconds);
    if (fraction === 0) return;
    this.#bytes[this.#length++] = POINT;
    this.#padded(fraction, 3);
  }

  /** The shortest digits that read back as `value`; see `formatFloat`. */
  float(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    const size = Math.abs(value);
    if (size < MAX_EXACT_NUMERATOR) {
      if (value === 0) return this.text(Object.is(value, -0) ? '-0' : '0');
      if (size === Math.floor(size)) {
        if (value < 0) this.#bytes[this.#length++] = MINUS;
        return this.#integer(size);
      }
      if (size >= 1e-3) {
        for (let decimals = 3; decimals <= 9; decimals += 3) {
          const scale = decimals === 3 ? 1e3 : decimals === 6 ? 1e6 : 1e9;
          const numerator = Math.round(size * scale);
          if (numerator >= MAX_EXACT_NUMERATOR) break;
          if (numerator / scale !== size) continue;
          if (value < 0) this.#bytes[this.#length++] = MINUS;
          return this.#decimal(numerator, scale, decimals);
        }
      }
    }
    if (value !== this.#lastValue) {
      this.#lastValue = value;
      this.#lastText = formatFloat(value);
    }
    this.text(this.#lastText);
  }

  /** `numerator / scale` without trailing zeros; not an integer. */
  #decimal(numerator: number, scale: number, decimals: number): void {
    const whole = Math.floor(numerator / scale);
    this.#integer(whole);
    this.#bytes[this.#length++] = POINT;
    this.#padded(numerator - whole * scale, decimals);
    while (this.#bytes[this.#length - 1] === ZERO) this.#length--;
  }

  /** A whole number from 0 to 2^53. */
  #integer(value: number): void {
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.#integer(high);
      return this.#padded(value - high * 1e9, 9);
    }
    const small = value | 0;
    const digits =
      small < 10 ? 1 : small < 100 ? 2 : small < 1000 ? 3 : small < 10_000 ? 4 : small < 100_000 ? 5 : small < 1e6 ? 6 : small < 1e7 ? 7 : small < 1e8 ? 8 : 9;
    this.#padded(small, digits);
  }

  /** Exactly `digits` digits of a whole number below 1e9. */
  #padded(value: number, digits: number): void {
    const bytes = this.#bytes;
    const start = this.#length;
    let rest = value | 0;
    let at = start + digits;
    while (at - start >= 2) {
      const next = (rest / 100) | 0;
      const pair = (rest - next * 100) * 2;
      bytes[--at] = PAIRS[pair + 1]!;
      bytes[--at] = PAIRS[pair]!;
      rest = next;
    }
    if (at > start) bytes[start] = ZERO + rest;
    this.#length = start + digits;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, this.#startBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
