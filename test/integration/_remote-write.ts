/**
 * Remote write 1.0 requests for tests, written by hand and compressed by a library of its own.
 * Source: Prometheus, prompb/remote.proto.
 */
import snappyjs from 'snappyjs';
import { bytesField, double, varint } from './_protobuf.ts';

export interface WrittenSeries {
  readonly labels: readonly (readonly [string, string])[];
  /** `stale` is the marker of a series' end, whose bits no JavaScript number carries reliably. */
  readonly samples: readonly (readonly [timeMs: number, value: number | 'stale'])[];
}

const encoder = new TextEncoder();

function float(value: number | 'stale'): number[] {
  if (value === 'stale') return [2, 0, 0, 0, 0, 0, 0xf0, 0x7f];
  return double(value);
}

export function writeRequest(series: readonly WrittenSeries[]): Uint8Array {
  const out: number[] = [];
  for (const { labels, samples } of series) {
    const content: number[] = [];
    for (const [name, value] of labels) content.push(...bytesField(1, [...bytesField(1, [...encoder.encode(name)]), ...bytesField(2, [...encoder.encode(value)])]));
    for (const [timeMs, value] of samples) content.push(...bytesField(2, [9, ...float(value), 16, ...varint(timeMs)]));
    out.push(...bytesField(1, content));
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
