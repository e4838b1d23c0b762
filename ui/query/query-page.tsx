/**
 * The Query page: panels whose whole state is in the address, so that back, reload and sharing work.
 */
import { Alert, Button } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { SKEW_TOLERANCE_MS, clockSkewMs } from '../api/server-clock.ts';
import { PlusIcon } from '../app/icons.tsx';
import { usePageTitle } from '../app/page-title.ts';
import { navigate, useLocation } from '../app/router.ts';
import { formatDuration } from '../../src/core/model/duration.ts';
import './query.css';
import { QueryPanel } from './query-panel.tsx';
import { DEFAULT_PANEL, MAX_PANELS, decodePanels, encodePanels, type PanelState } from './url-state.ts';

/** A browser clock that is off by more makes "now" confusing. */
const NOTED_SKEW_MS = 10 * SKEW_TOLERANCE_MS;

export function QueryPage(): ReactNode {
  usePageTitle('Query');
  const { search } = useLocation();
  const panels = decodePanels(search);
  const ids = usePanelIds(panels.length);
  const show = (next: readonly PanelState[], { replace = false } = {}): void =>
    navigate(`/query${encodePanels(next)}`, { replace });
  const change = (index: number, changes: Partial<PanelState>): void =>
    // What one looks at again is a step back; how it looks is not.
    show(
      panels.map((panel, i) => (i === index ? { ...panel, ...changes } : panel)),
      { replace: !('expr' in changes || 'endMs' in changes || 'rangeMs' in changes) },
    );
  const skewMs = clockSkewMs();
  return (
    <>
      <h1 className="visually-hidden">Query</h1>
      {Math.abs(skewMs) > NOTED_SKEW_MS && (
        <Alert color="yellow" variant="light" className="query-notice">
          The server’s clock is {formatDuration(Math.round(Math.abs(skewMs) / 1000) * 1000)}{' '}
          {skewMs > 0 ? 'ahead of' : 'behind'} this browser’s. “Now” means the server’s time.
        </Alert>
      )}
      {panels.map((panel, i) => (
        <QueryPanel
          key={ids.current[i]}
          id={ids.current[i]!}
          position={i + 1}
          panel={panel}
          onChange={(changes) => change(i, changes)}
          onRemove={
            panels.length === 1
              ? null
              : () => {
                  ids.current = ids.current.toSpliced(i, 1);
                  show(panels.toSpliced(i, 1));
                }
          }
        />
      ))}
      {panels.length < MAX_PANELS && (
        <Button
          variant="default"
          size="xs"
          leftSection={<PlusIcon />}
          onClick={() => show([...panels, { ...DEFAULT_PANEL, ...inherited(panels) }])}
        >
          Add a query
        </Button>
      )}
    </>
  );
}

/** A new panel looks at what the last one looks at. */
function inherited(panels: readonly PanelState[]): Partial<PanelState> {
  const last = panels.at(-1);
  return last === undefined ? {} : { tab: last.tab, rangeMs: last.rangeMs, endMs: last.endMs, momentMs: last.momentMs };
}

/** Numbers that stay with their panels while others come and go. */
function usePanelIds(count: number): { current: number[] } {
  const ids = useRef<number[]>([]);
  const next = useRef(0);
  while (ids.current.length < count) ids.current.push(next.current++);
  useEffect(() => {
    ids.current = ids.current.slice(0, count);
  }, [count]);
  return ids;
}
