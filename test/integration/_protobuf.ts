/**
 * Protobuf fields written by hand, for requests of tests.
 */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

export const zigzag = (value: number): bigint => BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
export const double = (value: number): number[] => [...new Uint8Array(Float64Array.of(value).buffer)];
export const varintField = (number: number, value: number | bigint): number[] => [...varint(number * 8), ...varint(value)];
export const doubleField = (number: number, value: number): number[] => [...varint(number * 8 + 1), ...double(value)];
export const bytesField = (number: number, content: readonly number[]): number[] => [...varint(number * 8 + 2), ...varint(content.length), ...content];
export const packedVarints = (number: number, values: readonly (number | bigint)[]): number[] => bytesField(number, values.flatMap(varint));
export const packedDoubles = (number: number, values: readonly number[]): number[] => bytesField(number, values.flatMap(double));
