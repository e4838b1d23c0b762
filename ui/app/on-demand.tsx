/**
 * Content that is made when it is opened.
 */
import { useState, type ReactNode } from 'react';

export function OnDemand({ summary, children }: { readonly summary: string; readonly children: ReactNode }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details className="on-demand" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && children}
    </details>
  );
}
