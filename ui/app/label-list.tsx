/**
 * Label pairs, each set apart.
 */
import type { ReactNode } from 'react';
import { quote, type Labels } from '../../src/core/model/labels.ts';

export function LabelList({ labels }: { readonly labels: Labels }): ReactNode {
  const pairs: ReactNode[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i]!;
    pairs.push(
      <li key={name} className="label-pair">
        <span className="series-label">{name}</span>={quote(labels[i + 1]!)}
      </li>,
    );
  }
  return <ul className="label-list">{pairs}</ul>;
}
