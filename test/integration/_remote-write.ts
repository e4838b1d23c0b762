/**
 * Remote write 1.0 requests for tests, written by hand and compressed by a library of its own.
 * Source: Prometheus, prompb/remote.proto.
 */
import snappyjs from 'snappyjs';

export interface WrittenSeries {
  readonly labels: readonly (readonly [string, string])[];
  /** `stale` is the marker of a series' end, whose bits no JavaScript number carries reliably. */
  readonly samples: readonly (readonly [timeMs: number, value: number | 'stale'])[];
}

const encoder = new TextEncoder();

function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

const field = (number: number, content: readonly number[]): number[] => [number * 8 + 2, ...varint(content.length), ...content];

function float(value: number | 'stale'): number[] {
  if (value === 'stale') return [2, 0, 0, 0, 0, 0, 0xf0, 0x7f];
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}

export function writeRequest(series: readonly WrittenSeries[]): Uint8Array {
  const out: number[] = [];
  for (const { labels, samples } of series) {
    const content: number[] = [];
    for (const [name, value] of labels) content.push(...field(1, [...field(1, [...encoder.encode(name)]), ...field(2, [...encoder.encode(value)])]));
    for (const [timeMs, value] of samples) content.push(...field(2, [9, ...float(value), 16, ...varint(timeMs)]));
    out.push(...field(1, content));
  }
  return snappyjs.compress(Uint8Array.from(out));
}

/** @returns the HTTP status and the body */
export async function sendWrite(url: string, series: readonly WrittenSeries[]): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
    body: writeRequest(series) as Uint8Array<ArrayBuffer>,
  });
  return { status: response.status, text: await response.text() };
}
