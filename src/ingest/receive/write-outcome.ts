/**
 * What a remote write request is answered with.
 *
 * 2xx says that everything is stored, 4xx that sending it again is of no use, 5xx that it may be. As in Prometheus, samples of series
 * with invalid labels are left out without an error, since the same sender would fail for ever with the good ones beside them.
 * Unlike there, what is good in a request is stored even if the rest is refused.
 * Source: prometheus.io/docs/specs/prw/remote_write_spec; Prometheus, storage/remote/write_handler.go.
 */
import type { AppendCounts } from '../../core/storage/appender.ts';
import type { DecodedWrite } from './remote-write.ts';

export interface WriteOutcome {
  readonly status: 204 | 400;
  /** For the sender; empty with 204. */
  readonly message: string;
}

/** Prometheus' words for each kind of refusal, with the number of samples behind. */
export function writeOutcome(decoded: DecodedWrite, counts: AppendCounts): WriteOutcome {
  const refusals: [number, string][] = [
    [counts.outOfOrder, 'out of order sample'],
    [counts.duplicate, 'duplicate sample for timestamp'],
    [counts.outOfBounds, 'out of bounds'],
    [counts.tooOld, 'too old sample'],
    [decoded.outOfBoundsSamples, 'out of bounds: timestamp is too far in the future'],
    [decoded.histogramSamples, 'native histograms are not stored'],
  ];
  const told = refusals.filter(([count]) => count > 0).map(([count, words]) => `${words} (${count} ${count === 1 ? 'sample' : 'samples'})`);
  return told.length === 0 ? { status: 204, message: '' } : { status: 400, message: told.join('; ') };
}
