/**
 * For pages that Prometheus has and Coeus has nothing to show on yet.
 */
import type { ReactNode } from 'react';
import { PageLink } from './link.tsx';
import { usePageTitle } from './page-title.ts';

/** By path: the page's name, and why it is not there. */
export const COMING_PAGES: ReadonlyMap<string, { readonly title: string; readonly why: string }> = new Map([
  ['/alerts', { title: 'Alerts', why: 'Rules are not evaluated yet, so there are no alerts.' }],
  ['/rules', { title: 'Rules', why: 'Rule files are read and checked, but not evaluated yet.' }],
  [
    '/alertmanager-discovery',
    { title: 'Alertmanagers', why: 'Alerts are not sent yet, so no Alertmanager is looked for.' },
  ],
]);

export function ComingPage({ title, why }: { readonly title: string; readonly why: string }): ReactNode {
  usePageTitle(title);
  return (
    <>
      <h1 className="page-title">{title}</h1>
      <p className="page-about">
        There is no page yet. {why} Back to <PageLink to="/">Home</PageLink>.
      </p>
    </>
  );
}
