/**
 * One query: its editor, its controls and its answer as table or graph.
 */
import { Alert, Button, Switch, Tabs } from '@mantine/core';
import { Suspense, lazy, useEffect, useState, type ReactNode } from 'react';
import { formatDuration } from '../../src/core/model/duration.ts';
import { formatQuery } from '../api/query.ts';
import { ApiFailure } from '../api/http.ts';
import { serverNowMs } from '../api/server-clock.ts';
import { CloseIcon, FormatIcon, HistoryIcon } from '../app/icons.tsx';
import { useSettings } from '../app/settings.tsx';
import { formatCount } from '../model/unit.ts';
import { RangeField, ResolutionField, TimeField, ToolButton } from './fields.tsx';
import { addToHistory } from './history.ts';
import { PastQueries } from './past-queries-list.tsx';
import { usePanelQuery, type PanelAnswer } from './panel-query.ts';
import { ResultGraph } from './result-graph.tsx';
import { ResultTable, resultRowCount } from './result-table.tsx';
import type { PanelState } from './url-state.ts';

const Editor = lazy(() => import('./editor.tsx').then(({ Editor }) => ({ default: Editor })));

interface QueryPanelProps {
  readonly id: number;
  /** From 1. */
  readonly position: number;
  readonly panel: PanelState;
  readonly onChange: (change: Partial<PanelState>) => void;
  /** Null for the only panel. */
  readonly onRemove: (() => void) | null;
}

export function QueryPanel({ id, position, panel, onChange, onRemove }: QueryPanelProps): ReactNode {
  const { zone } = useSettings();
  const [draft, setDraft] = useState(panel.expr);
  const [run, setRun] = useState(0);
  const [formatFault, setFormatFault] = useState<string | null>(null);
  const [showsHistory, setShowsHistory] = useState(false);
  useEffect(() => setDraft(panel.expr), [panel.expr]);
  const { data, error, isFetching, isPlaceholderData } = usePanelQuery(id, panel, run);

  const runQuery = (expr: string): void => {
    setFormatFault(null);
    setRun((count) => count + 1);
    addToHistory(expr);
    if (expr !== panel.expr) onChange({ expr });
  };
  const format = async (): Promise<void> => {
    try {
      setDraft(await formatQuery(draft));
      setFormatFault(null);
    } catch (fault) {
      if (!(fault instanceof Error)) throw fault;
      setFormatFault(fault.message);
    }
  };
  const fault = formatFault ?? (error === null ? null : faultText(error));
  return (
    <section className="query-panel" aria-label={`Query ${position}`}>
      <div className="query-line">
        <div className="editor-frame">
          <Suspense fallback={<pre className="editor-loading">{draft}</pre>}>
            <Editor
              text={draft}
              onChange={setDraft}
              onRun={() => runQuery(draft)}
              isFocused={position === 1 && panel.expr === ''}
            />
          </Suspense>
        </div>
        <div className="query-buttons">
          <ToolButton label="Lay the query out" onClick={() => void format()}>
            <FormatIcon />
          </ToolButton>
          <ToolButton
            label={showsHistory ? 'Hide past queries' : 'Past queries'}
            onClick={() => setShowsHistory(!showsHistory)}
          >
            <HistoryIcon />
          </ToolButton>
          {onRemove && (
            <ToolButton label={`Remove query ${position}`} onClick={onRemove}>
              <CloseIcon />
            </ToolButton>
          )}
          <Button size="sm" data-testid="query-run" loading={isFetching} onClick={() => runQuery(draft)}>
            Run
          </Button>
        </div>
      </div>
      {showsHistory && (
        <PastQueries
          onChoose={(expr) => {
            setDraft(expr);
            setShowsHistory(false);
            runQuery(expr);
          }}
        />
      )}
      {fault !== null && (
        <Alert
          color="red"
          variant="light"
          role="alert"
          title="The query failed"
          data-testid="query-error"
          className="query-notice"
        >
          {fault}
        </Alert>
      )}
      {data && <Notices answer={data} />}
      <Tabs
        value={panel.tab}
        onChange={(tab) => onChange({ tab: tab === 'graph' ? 'graph' : 'table' })}
        keepMounted={false}
      >
        <Tabs.List className="query-tabs">
          <Tabs.Tab value="table">Table</Tabs.Tab>
          <Tabs.Tab value="graph">Graph</Tabs.Tab>
        </Tabs.List>
        {data && !isPlaceholderData && <Stats answer={data} isGraph={panel.tab === 'graph'} />}
        <Tabs.Panel value="table">
          <div className="query-controls">
            <TimeField
              label="Evaluation time"
              timeMs={panel.momentMs}
              zone={zone}
              shiftMs={panel.rangeMs / 2}
              nowMs={serverNowMs}
              onChange={(momentMs) => onChange({ momentMs })}
            />
          </div>
          <div className={isPlaceholderData ? 'result result-old' : 'result'}>
            {data ? (
              <ResultTable result={data.data} zone={zone} />
            ) : (
              <Waiting expr={panel.expr} isFetching={isFetching} />
            )}
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="graph">
          <div className="query-controls">
            <RangeField rangeMs={panel.rangeMs} onChange={(rangeMs) => onChange({ rangeMs })} />
            <TimeField
              label="End time"
              timeMs={panel.endMs}
              zone={zone}
              shiftMs={panel.rangeMs / 2}
              nowMs={serverNowMs}
              onChange={(endMs) => onChange({ endMs })}
            />
            <ResolutionField panel={panel} onChange={(resolution) => onChange({ resolution })} />
            <Switch
              size="xs"
              label="Stacked"
              checked={panel.isStacked}
              onChange={(event) => onChange({ isStacked: event.currentTarget.checked })}
            />
            <Switch
              size="xs"
              label="Axis from zero"
              checked={panel.fromZero}
              onChange={(event) => onChange({ fromZero: event.currentTarget.checked })}
            />
          </div>
          <div className={isPlaceholderData ? 'result result-old' : 'result'}>
            {data?.data.kind === 'matrix' ? (
              <ResultGraph
                expr={data.expr}
                series={data.data.series}
                grid={data.grid}
                isStacked={panel.isStacked}
                fromZero={panel.fromZero}
                zone={zone}
                onZoom={(fromMs, toMs) =>
                  onChange({
                    rangeMs: Math.max(1000, Math.round((toMs - fromMs) / 1000) * 1000),
                    endMs: Math.round(toMs / 1000) * 1000,
                  })
                }
              />
            ) : (
              <Waiting expr={panel.expr} isFetching={isFetching} />
            )}
          </div>
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}

function Waiting({ expr, isFetching }: { readonly expr: string; readonly isFetching: boolean }): ReactNode {
  if (isFetching) return <p className="result-empty">Asking …</p>;
  return expr === '' ? <p className="result-empty">Enter runs the query, Shift and Enter begins a new line.</p> : null;
}

function Notices({ answer: { warnings, infos } }: { readonly answer: PanelAnswer }): ReactNode {
  return (
    <>
      {warnings.length > 0 && (
        <Alert color="yellow" variant="light" title="Warnings" className="query-notice" data-testid="query-warnings">
          <NoticeList notices={warnings} />
        </Alert>
      )}
      {infos.length > 0 && (
        <Alert color="blue" variant="light" title="Hints" className="query-notice" data-testid="query-infos">
          <NoticeList notices={infos} />
        </Alert>
      )}
    </>
  );
}

function NoticeList({ notices }: { readonly notices: readonly string[] }): ReactNode {
  return (
    <ul>
      {notices.map((notice) => (
        <li key={notice}>{notice}</li>
      ))}
    </ul>
  );
}

function Stats({
  answer: { data, durationMs, grid },
  isGraph,
}: {
  readonly answer: PanelAnswer;
  readonly isGraph: boolean;
}): ReactNode {
  const parts = [`${formatCount(durationMs)} ms`, `${formatCount(resultRowCount(data))} series`];
  if (isGraph) parts.push(`step ${formatDuration(grid.stepMs)}`);
  return (
    <span className="query-stats" role="status">
      {parts.join(' · ')}
    </span>
  );
}

function faultText(error: Error): string {
  return error instanceof ApiFailure && error.errorType !== '' ? `${error.errorType}: ${error.message}` : error.message;
}
