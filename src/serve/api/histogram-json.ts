/**
 * A native histogram in an answer: `{"count":"3","sum":"4.5","buckets":[[0,"0.5","1","3"]]}`.
 *
 * A bucket is which of its bounds belong to it, lower bound, upper bound, count. Empty ones are left out, and the list where none
 * is left.
 * Source: Prometheus, HTTP API "Native histograms".
 */
import type { FloatHistogram } from '../../core/model/histogram.ts';
import { bucketRanges, isCustom, type BucketRange } from '../../query/promql/functions/histogram-buckets.ts';
import type { ByteWriter } from './byte-writer.ts';

const LEFT_OPEN = 0;
const RIGHT_OPEN = 1;
const CLOSED = 3;

export function writeHistogram(out: ByteWriter, histogram: FloatHistogram): void {
  out.text('{"count":"');
  out.float(histogram.count);
  out.text('","sum":"');
  out.float(histogram.sum);
  out.text('"');
  let isFirst = true;
  for (const range of bucketRanges(histogram)) {
    if (range.count === 0) continue;
    out.text(`${isFirst ? ',"buckets":[[' : ',['}${boundaryRule(range, histogram)},"`);
    isFirst = false;
    out.float(range.lower);
    out.text('","');
    out.float(range.upper);
    out.text('","');
    out.float(range.count);
    out.text('"]');
  }
  out.text(isFirst ? '}' : ']}');
}

/** The zero bucket has both bounds, as has the lowest of custom ones; others have the one that is farther from zero. */
function boundaryRule({ lower, upper }: BucketRange, histogram: FloatHistogram): number {
  if (isCustom(histogram)) return lower === -Infinity ? CLOSED : LEFT_OPEN;
  if (lower === -upper) return CLOSED;
  return lower < 0 ? RIGHT_OPEN : LEFT_OPEN;
}
