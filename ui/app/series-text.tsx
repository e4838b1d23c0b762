/**
 * A series as PromQL writes it, its parts set apart by colour.
 */
import { Fragment, type ReactNode } from 'react';
import {
  METRIC_NAME,
  isLegacyLabelName,
  isLegacyMetricName,
  labelValue,
  quote,
  type Labels,
} from '../../src/core/model/labels.ts';

export function SeriesText({ labels }: { readonly labels: Labels }): ReactNode {
  const metric = labelValue(labels, METRIC_NAME);
  const isPlain = metric === '' || isLegacyMetricName(metric);
  const parts: ReactNode[] = metric !== '' && !isPlain ? [<span key={METRIC_NAME}>{quote(metric)}</span>] : [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    if (name === METRIC_NAME) continue;
    parts.push(
      <span key={name}>
        <span className="series-label">{isLegacyLabelName(name) ? name : quote(name)}</span>=
        <span className="series-value">{quote(labels[i + 1]!)}</span>
      </span>,
    );
  }
  return (
    <span className="series-text">
      {isPlain && <span className="series-metric">{metric}</span>}
      {(parts.length > 0 || metric === '') && (
        <>
          {'{'}
          {parts.map((part, i) => (
            <Fragment key={i}>
              {i > 0 && ', '}
              {part}
            </Fragment>
          ))}
          {'}'}
        </>
      )}
    </span>
  );
}
