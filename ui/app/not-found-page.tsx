/**
 * For addresses that lead nowhere.
 */
import type { ReactNode } from 'react';
import { PageLink } from './link.tsx';
import { usePageTitle } from './page-title.ts';

export function NotFoundPage({ path }: { readonly path: string }): ReactNode {
  usePageTitle('Not found');
  return (
    <>
      <h1 className="page-title">There is no page here</h1>
      <p className="page-about">
        Nothing is at <code>{path}</code>. Begin at <PageLink to="/">Home</PageLink>.
      </p>
    </>
  );
}
