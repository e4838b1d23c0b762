/**
 * Pages and the frame around them. Pages other than Home are loaded when they are opened.
 */
import { Component, Suspense, lazy, useEffect, useRef, type ReactNode } from 'react';
import { HomePage } from '../home/home-page.tsx';
import { COMING_PAGES, ComingPage } from './coming-page.tsx';
import { Frame } from './frame.tsx';
import { NotFoundPage } from './not-found-page.tsx';
import { useLocation } from './router.ts';
import { useServerHealth } from './server-health.ts';
import { StartPage } from './start-page.tsx';

const QueryPage = lazy(() => import('../query/query-page.tsx').then(({ QueryPage }) => ({ default: QueryPage })));
const TargetsPage = lazy(() =>
  import('../targets/targets-page.tsx').then(({ TargetsPage }) => ({ default: TargetsPage })),
);
const DiscoveryPage = lazy(() =>
  import('../discovery/discovery-page.tsx').then(({ DiscoveryPage }) => ({ default: DiscoveryPage })),
);
const StatusPage = lazy(() => import('../status/status-page.tsx').then(({ StatusPage }) => ({ default: StatusPage })));

export function App(): ReactNode {
  const { path } = useLocation();
  const health = useServerHealth();
  useFocusOnNavigation(path);
  return (
    <Frame path={path} health={health}>
      {health === 'starting' ? (
        <StartPage />
      ) : (
        <PageErrors key={path}>
          <Suspense fallback={<div className="page-loading" role="status" aria-label="Loading" />}>
            {pageAt(path)}
          </Suspense>
        </PageErrors>
      )}
    </Frame>
  );
}

/** Opening a page moves the focus there, as loading it would. */
function useFocusOnNavigation(path: string): void {
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  }, [path]);
}

function pageAt(path: string): ReactNode {
  switch (path) {
    case '/':
      return <HomePage />;
    case '/query':
    case '/graph':
      return <QueryPage />;
    case '/targets':
      return <TargetsPage />;
    case '/service-discovery':
      return <DiscoveryPage />;
    case '/status':
    case '/tsdb-status':
    case '/flags':
    case '/config':
      return <StatusPage path={path} />;
    default: {
      const coming = COMING_PAGES.get(path);
      return coming ? <ComingPage {...coming} /> : <NotFoundPage path={path} />;
    }
  }
}

/** A fault in one page leaves the frame and the other pages usable. */
class PageErrors extends Component<{ readonly children: ReactNode }, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div className="page-fault" role="alert">
        <h1 className="page-title">This page has failed</h1>
        <p>{error.message}</p>
        <button type="button" className="text-button" onClick={() => window.location.reload()}>
          Load it again
        </button>
      </div>
    );
  }
}
