/**
 * The tables with which the exposition kernel makes floats of digits.
 */

const EXACT_POWERS = 23;
export const SMALLEST_POWER = -342;
export const LARGEST_POWER = 308;
const WIDE_BITS = 128;
/** Down to here a product with the power may be exact: a reciprocal rounded up lets it come out so. */
const SMALLEST_ROUNDED_UP = -27;

/**
 * 10^0 … 10^22, which floats hold exactly; then for each power from 10^-342 to 10^308 its first 128 bits, cut, as two
 * 64-bit words, the lower first. 10^-27 … 10^-1 are rounded up.
 */
export function powersOfTen(): Uint8Array {
  const bytes = new Uint8Array(EXACT_POWERS * 8 + (LARGEST_POWER - SMALLEST_POWER + 1) * 16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < EXACT_POWERS; i++) view.setFloat64(i * 8, 10 ** i, true);
  for (let power = SMALLEST_POWER; power <= LARGEST_POWER; power++) {
    const wide = wideBits(power);
    const at = EXACT_POWERS * 8 + (power - SMALLEST_POWER) * 16;
    view.setBigUint64(at, BigInt.asUintN(64, wide), true);
    view.setBigUint64(at + 8, wide >> 64n, true);
  }
  return bytes;
}

function wideBits(power: number): bigint {
  const whole = 10n ** BigInt(Math.abs(power));
  const bits = bitLength(whole);
  if (power < 0) return (1n << BigInt(bits + WIDE_BITS - 1)) / whole + (power >= SMALLEST_ROUNDED_UP ? 1n : 0n);
  return bits > WIDE_BITS ? whole >> BigInt(bits - WIDE_BITS) : whole << BigInt(WIDE_BITS - bits);
}

const bitLength = (value: bigint): number => value.toString(2).length;
