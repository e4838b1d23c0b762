/**
 * Remote write bodies for tests and benchmarks, written with nothing of what reads them.
 */

/** A sample's value as a number, or its 64 bits in hexadecimal. */
export interface TestSeries {
  readonly labels: readonly (readonly [string | Uint8Array, string | Uint8Array])[];
  readonly samples?: readonly (readonly [timeMs: number | bigint, value: number | string])[];
  readonly exemplars?: readonly { labels: readonly (readonly [string, string])[]; value: number; timeMs: number }[];
  readonly histogramCount?: number;
}

export interface TestMetadata {
  readonly type: number;
  readonly name: string;
  readonly help: string;
  readonly unit: string;
}

type Bytes = readonly number[];
const text = new TextEncoder();

function varint(value: bigint | number): Bytes {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return out;
}

export const delimited = (field: number, content: Bytes | Uint8Array): Bytes => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const number = (field: number, value: bigint | number): Bytes => [...varint(field * 8), ...varint(value)];
const string = (field: number, value: string | Uint8Array): Bytes => delimited(field, typeof value === 'string' ? text.encode(value) : value);

function double(field: number, value: number | string): Bytes {
  const view = new DataView(new ArrayBuffer(8));
  if (typeof value === 'number') view.setFloat64(0, value, true);
  else view.setBigUint64(0, BigInt(`0x${value}`), true);
  return [...varint(field * 8 + 1), ...new Uint8Array(view.buffer)];
}

export const label = (name: string | Uint8Array, value: string | Uint8Array): Bytes => delimited(1, [...string(1, name), ...string(2, value)]);

/** As gogo/protobuf writes it: a value of 0 is left out. */
export const sample = (timeMs: number | bigint, value: number | string): Bytes =>
  delimited(2, [...(value === 0 ? [] : double(1, value)), ...number(2, timeMs)]);

export function timeSeries(series: TestSeries): Bytes {
  const exemplars = (series.exemplars ?? []).map((exemplar) =>
    delimited(3, [...exemplar.labels.flatMap(([name, value]) => label(name, value)), ...double(2, exemplar.value), ...number(3, exemplar.timeMs)]),
  );
  const histograms = Array.from({ length: series.histogramCount ?? 0 }, () => delimited(4, number(15, 1)));
  const labels = series.labels.flatMap(([name, value]) => label(name, value));
  const samples = (series.samples ?? []).flatMap(([timeMs, value]) => sample(timeMs, value));
  return delimited(1, [...labels, ...samples, ...exemplars.flat(), ...histograms.flat()]);
}

export const metadata = ({ type, name, help, unit }: TestMetadata): Bytes =>
  delimited(3, [...number(1, type), ...string(2, name), ...string(4, help), ...string(5, unit)]);

/** A snappy block of literals only. */
export function stored(message: Bytes | Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(message);
  const out: number[] = [...varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 60) {
    const piece = bytes.subarray(at, at + 60);
    out.push((piece.length - 1) << 2, ...piece);
  }
  return Uint8Array.from(out);
}

export const body = (...messages: readonly Bytes[]): Uint8Array => stored(messages.flat());
