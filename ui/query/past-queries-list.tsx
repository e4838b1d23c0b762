/**
 * Past queries to choose from.
 */
import { useState, type ReactNode } from 'react';
import { clearHistory, readHistory } from './history.ts';

export function PastQueries({ onChoose }: { readonly onChoose: (expr: string) => void }): ReactNode {
  const [past, setPast] = useState(readHistory);
  if (past.length === 0) return <p className="past-queries-none">No query was run in this browser yet.</p>;
  return (
    <div className="past-queries">
      <ul aria-label="Past queries">
        {past.map((expr) => (
          <li key={expr}>
            <button type="button" className="past-query" onClick={() => onChoose(expr)}>
              {expr}
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        className="text-button"
        onClick={() => {
          clearHistory();
          setPast([]);
        }}
      >
        Forget them
      </button>
    </div>
  );
}
