/**
 * Number literals, read the way Go's strconv does with base 0.
 */

/** A literal that is no number. The message is Go's. */
export class NumberError extends Error {
  override readonly name = 'NumberError';

  constructor(text: string, why: 'invalid syntax' | 'value out of range') {
    super(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${why}`);
  }
}

const HEX = /^0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*$/;
const OCTAL = /^0_?[0-7]+(?:_[0-7]+)*$/;
const DECIMAL = /^(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;
/** Hexadecimal and octal literals are 64-bit integers. */
const MAX_INT64 = 2n ** 63n - 1n;

/**
 * Decimal, hexadecimal, octal with a leading zero, `Inf` and `NaN` in any case, `_` between digits.
 * @throws NumberError
 */
export function parseNumber(text: string): number {
  const lower = text.toLowerCase();
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === 'nan') return Number.NaN;
  const digits = text.replaceAll('_', '');
  if (HEX.test(text)) {
    const value = BigInt(digits);
    if (value > MAX_INT64) throw new NumberError(text, 'invalid syntax');
    return Number(value);
  }
  if (OCTAL.test(text)) {
    const value = BigInt(`0o${digits}`);
    if (value <= MAX_INT64) return Number(value);
  }
  if (!DECIMAL.test(text)) throw new NumberError(text, 'invalid syntax');
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new NumberError(text, 'value out of range');
  return value;
}
