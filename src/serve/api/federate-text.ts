/**
 * The body of `/federate`: one sample for each series, as text exposition with the sample's own time.
 *
 * Runs in the query worker. Every metric is untyped. External labels are added where the series has no such label, and an
 * empty `instance` where it has none, so that the scraping server doesn't put its own there.
 * Source: Prometheus, web/federate (verified against 2.42).
 */
import {
  compareStrings,
  isLegacyLabelName,
  isLegacyMetricName,
  labelValue,
  METRIC_NAME,
  type Labels,
} from '../../core/model/labels.ts';
import { formatTextFloat } from '../../ingest/exposition/sample-float.ts';
import { ByteWriter } from './byte-writer.ts';

/** Columns: entry i is one series with its newest sample. Sorted by metric name. */
export interface FederatedSamples {
  readonly labels: readonly Labels[];
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** Pieces of the body. Series without a metric name can't be written as text and are left out. */
export function* writeFederateText(
  samples: FederatedSamples,
  externalLabels: Labels,
): Generator<Uint8Array<ArrayBuffer>, void> {
  const out = new ByteWriter();
  const added = withInstance(externalLabels);
  let family = '';
  for (const [i, labels] of samples.labels.entries()) {
    const name = labelValue(labels, METRIC_NAME);
    if (name === '') continue;
    const quoted = !isLegacyMetricName(name);
    if (name !== family) {
      family = name;
      out.text(`# TYPE ${quoted ? quoteText(name) : name} untyped\n`);
    }
    out.text(`${quoted ? '' : name}${labelsText(quoted ? name : '', labels, added)} `);
    out.text(formatTextFloat(samples.values[i]!));
    out.text(` ${samples.times[i]!}\n`);
    if (out.isFull) yield out.take();
  }
  yield out.take();
}

function labelsText(metric: string, labels: Labels, added: readonly string[]): string {
  const parts: string[] = metric === '' ? [] : [quoteText(metric)];
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] !== METRIC_NAME) parts.push(`${nameText(labels[i]!)}=${quoteText(labels[i + 1]!)}`);
  }
  for (let i = 0; i < added.length; i += 2) {
    if (labelValue(labels, added[i]!) === '') parts.push(`${nameText(added[i]!)}=${quoteText(added[i + 1]!)}`);
  }
  return `{${parts.join(',')}}`;
}

/** Label pairs that every series gets unless it has them; unlike a label set, `instance` may be empty here. */
function withInstance(externalLabels: Labels): readonly string[] {
  if (labelValue(externalLabels, 'instance') !== '') return externalLabels;
  let at = 0;
  while (at < externalLabels.length && compareStrings(externalLabels[at]!, 'instance') < 0) at += 2;
  return externalLabels.toSpliced(at, 0, 'instance', '');
}

const nameText = (name: string): string => (isLegacyLabelName(name) ? name : quoteText(name));

function quoteText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}
