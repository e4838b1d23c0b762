/**
 * What each relabelling rule made of one target's labels.
 */
import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { labelsKey, quote, type Labels } from '../../src/core/model/labels.ts';
import { fetchRelabelSteps, type RelabelStep } from '../api/discovery.ts';
import { labelChanges, type LabelChange } from './discovery-filter.ts';

export function RelabelSteps({ pool, labels }: { readonly pool: string; readonly labels: Labels }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['relabel-steps', pool, labelsKey(labels)],
    queryFn: ({ signal }) => fetchRelabelSteps(pool, labels, signal),
    retry: false,
  });
  if (error !== null)
    return (
      <Alert color="red" variant="light" role="alert" title="The steps can’t be shown">
        {error.message}
      </Alert>
    );
  if (data === undefined) return <p className="page-about">…</p>;
  if (data.length === 0) return <p className="page-about">This pool has no relabelling rules.</p>;
  // Rules after one that drops the target are not reached.
  const last = data.findIndex(({ keep }) => !keep);
  const shown = last < 0 ? data : data.slice(0, last + 1);
  return (
    <ol className="steps">
      {shown.map((step, i) => (
        <Step key={i} step={step} before={i === 0 ? labels : shown[i - 1]!.output} />
      ))}
      {shown.length < data.length && <li className="step-rest">{restText(data.length - shown.length)}</li>}
    </ol>
  );
}

const restText = (count: number): string =>
  count === 1 ? '1 more rule is not reached' : `${count} more rules are not reached`;

function Step({ step, before }: { readonly step: RelabelStep; readonly before: Labels }): ReactNode {
  const changes = step.keep ? labelChanges(before, step.output) : [];
  return (
    <li className="step">
      <code className="step-rule">
        {[...step.rule].map(([name, text]) => (
          <span key={name}>
            <span className="series-label">{name}:</span> {text}
          </span>
        ))}
      </code>
      {step.keep ? (
        <ul className="step-changes">
          {changes.length === 0 && <li className="step-same">changes nothing</li>}
          {changes.map((change) => (
            <ChangeItem key={change.name} {...change} />
          ))}
        </ul>
      ) : (
        <p className="step-drop">drops the target</p>
      )}
    </li>
  );
}

function ChangeItem({ name, before, after }: LabelChange): ReactNode {
  return (
    <li className="label-pair">
      <span className="series-label">{name}</span>{' '}
      {before === null ? 'becomes' : after === null ? `${quote(before)} is removed` : `${quote(before)} becomes`}
      {after !== null && ` ${quote(after)}`}
    </li>
  );
}
