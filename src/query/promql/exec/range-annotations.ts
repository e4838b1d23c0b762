/**
 * What range functions tell of native histograms in their windows.
 */
import type { RateFindings } from '../functions/histogram-rate.ts';
import type { Span } from '../parse/ast.ts';
import { forMetric, type Annotations } from './annotations.ts';

export function reportRate(findings: RateFindings, name: string, annotations: Annotations, span: Span): void {
  const quoted = JSON.stringify(name);
  if (findings.isNotCounter) annotations.warn(`this native histogram metric is not a counter: ${quoted}`, span);
  if (findings.isNotGauge) annotations.warn(`this native histogram metric is not a gauge: ${quoted}`, span);
  if (findings.isMixedLayout) {
    annotations.warn(
      `vector contains a mix of histograms with exponential and custom buckets schemas${forMetric(name)}`,
      span,
    );
  }
  if (findings.hasReconciledBounds)
    annotations.info('mismatched custom buckets were reconciled during subtraction', span);
}

/** A window of floats and histograms has no value. */
export function refuseMix(name: string, annotations: Annotations, span: Span): null {
  annotations.warn(`encountered a mix of histograms and floats${forMetric(name)}`, span);
  return null;
}
