/**
 * Numbers in as many bits as they need: some ones that tell the width, a zero (none behind eight ones), then the number.
 *
 *   ones       0   1   2   3   4    5    6    7    8
 *   width      0   3   6   9   12   18   25   56   64      n bits hold −(2^(n−1) − 1) … 2^(n−1), or 0 … 2^n − 1 where there is no sign
 *
 * Source: Prometheus, tsdb/chunkenc, "varbit". Reading is bit-reader.ts.
 */
import type { BitWriter } from '../bytes/bit-writer.ts';
import { VARBIT_WIDTHS } from './bit-reader.ts';

const TWO_32 = 2 ** 32;

/** @param value a safe integer */
export function putVarbitInt(bits: BitWriter, value: number): void {
  putVarbit(bits, value, (width) => (width === 0 ? value === 0 : value > -(2 ** (width - 1)) && value <= 2 ** (width - 1)));
}

/** @param value a safe integer, not negative */
export function putVarbitUint(bits: BitWriter, value: number): void {
  putVarbit(bits, value, (width) => value < 2 ** width);
}

function putVarbit(bits: BitWriter, value: number, fits: (width: number) => boolean): void {
  const ones = VARBIT_WIDTHS.findIndex((width) => width === 64 || fits(width));
  const width = VARBIT_WIDTHS[ones]!;
  if (ones === 8) bits.put(0xff, 8);
  else bits.put(((1 << ones) - 1) << 1, ones + 1);
  if (width > 32) bits.put(Math.floor(value / TWO_32) >>> 0, width - 32);
  bits.put(value % TWO_32, Math.min(32, width));
}
