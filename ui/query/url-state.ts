/**
 * The Query page's state in its address, with the parameter names of Prometheus, so that links work in both.
 *
 * A panel n has parameters `gn.<name>`. Older spellings are read too: numeric tabs, `stacked`, `step_input`. What the page
 * does not know is not kept.
 */
import { DurationError, formatDuration, parseDuration } from '../../src/core/model/duration.ts';

export type PanelTab = 'table' | 'graph';

/** Steps: chosen from the range and one of three densities, or fixed. */
export type Resolution =
  | { readonly kind: 'auto'; readonly density: Density }
  /** From the list. */
  | { readonly kind: 'fixed'; readonly stepMs: number }
  /** Typed. */
  | { readonly kind: 'custom'; readonly stepMs: number };

export type Density = 'low' | 'medium' | 'high';

export interface PanelState {
  readonly expr: string;
  readonly tab: PanelTab;
  readonly rangeMs: number;
  /** Of the graph; null: now. */
  readonly endMs: number | null;
  /** Of the table; null: now. */
  readonly momentMs: number | null;
  readonly resolution: Resolution;
  readonly isStacked: boolean;
  readonly fromZero: boolean;
  /** Kept for links; the page has no use for it yet. */
  readonly showExemplars: boolean;
}

/** Panels of one page; more are not read. */
export const MAX_PANELS = 50;
export const MIN_RANGE_MS = 1000;
export const MAX_RANGE_MS = 20 * 365 * 86_400_000;
const MAX_TIME_MS = 8_640_000_000_000_000;

export const DEFAULT_PANEL: PanelState = {
  expr: '',
  tab: 'table',
  rangeMs: 3_600_000,
  endMs: null,
  momentMs: null,
  resolution: { kind: 'auto', density: 'medium' },
  isStacked: false,
  fromZero: false,
  showExemplars: false,
};

/** Points across a graph, by density. */
const AUTO_STEPS: Readonly<Record<Density, number>> = { low: 100, medium: 250, high: 750 };

/** At least one panel. @param search with or without its question mark */
export function decodePanels(search: string): PanelState[] {
  const params = new URLSearchParams(search);
  const panels: PanelState[] = [];
  for (let i = 0; i < MAX_PANELS; i++) {
    const get = (name: string): string | null => params.get(`g${i}.${name}`);
    const expr = get('expr');
    if (expr === null) break;
    panels.push(decodePanel(expr, get));
  }
  return panels.length === 0 ? [DEFAULT_PANEL] : panels;
}

/** With a question mark; '' for the page as it opens. */
export function encodePanels(panels: readonly PanelState[]): string {
  if (panels.length === 1 && panels[0]!.expr === '' && samePanel(panels[0]!, DEFAULT_PANEL)) return '';
  const params = new URLSearchParams();
  for (const [i, panel] of panels.entries()) {
    for (const [name, value] of encodePanel(panel)) params.set(`g${i}.${name}`, value);
  }
  return `?${params.toString()}`;
}

/** The address part that opens each expression in a graph panel of its own. */
export function queryPageSearch(exprs: readonly string[], rangeMs: number, isStacked: boolean): string {
  return encodePanels(exprs.map((expr) => ({ ...DEFAULT_PANEL, expr, tab: 'graph', rangeMs, isStacked })));
}

/** The step that a graph of this range asks with. */
export function stepOf({ rangeMs, resolution }: PanelState): number {
  if (resolution.kind !== 'auto') return resolution.stepMs;
  return Math.max(1000, Math.floor(rangeMs / AUTO_STEPS[resolution.density] / 1000) * 1000);
}

function decodePanel(expr: string, get: (name: string) => string | null): PanelState {
  const tab = get('tab');
  return {
    expr,
    // In old links 0 is the graph and 1 the table.
    tab: tab === 'graph' || tab === '0' ? 'graph' : 'table',
    rangeMs: readDuration(get('range_input'), MIN_RANGE_MS, MAX_RANGE_MS) ?? DEFAULT_PANEL.rangeMs,
    endMs: readTime(get('end_input')),
    momentMs: readTime(get('moment_input')),
    resolution: readResolution(get),
    isStacked: get('display_mode') === 'stacked' || get('stacked') === '1',
    fromZero: get('y_axis_min') === 'zero' || get('y_axis_min') === '0',
    showExemplars: get('show_exemplars') === '1',
  };
}

function encodePanel(panel: PanelState): [string, string][] {
  const { expr, tab, rangeMs, endMs, momentMs, resolution, isStacked, fromZero, showExemplars } = panel;
  const out: [string, string][] = [
    ['expr', expr],
    ['tab', tab],
    ['range_input', formatDuration(rangeMs)],
  ];
  if (endMs !== null) out.push(['end_input', writeTime(endMs)]);
  if (momentMs !== null) out.push(['moment_input', writeTime(momentMs)]);
  out.push(['res_type', resolution.kind]);
  if (resolution.kind === 'auto') out.push(['res_density', resolution.density]);
  else out.push(['res_step', String(resolution.stepMs / 1000)]);
  out.push(['display_mode', isStacked ? 'stacked' : 'lines']);
  if (fromZero) out.push(['y_axis_min', 'zero']);
  out.push(['show_exemplars', showExemplars ? '1' : '0']);
  return out;
}

function readResolution(get: (name: string) => string | null): Resolution {
  const kind = get('res_type');
  const stepMs = readSeconds(get('res_step') ?? get('step_input'));
  if (kind === 'fixed' && stepMs !== null) return { kind, stepMs };
  if (kind === 'custom' && stepMs !== null) return { kind, stepMs };
  if (kind === null && stepMs !== null) return { kind: 'custom', stepMs };
  const density = get('res_density');
  return { kind: 'auto', density: density === 'low' || density === 'high' ? density : 'medium' };
}

/** Seconds, or a duration as PromQL writes it. */
function readSeconds(text: string | null): number | null {
  if (text === null || text.trim() === '') return null;
  const seconds = Number(text);
  if (Number.isNaN(seconds)) return readDuration(text, 1, MAX_RANGE_MS);
  const ms = Math.round(seconds * 1000);
  return ms >= 1 && ms <= MAX_RANGE_MS ? ms : null;
}

/** Null for text that is no duration or lies outside the ends. */
export function readDuration(text: string | null, minMs: number, maxMs: number): number | null {
  if (text === null) return null;
  try {
    const ms = parseDuration(text.trim());
    return ms >= minMs && ms <= maxMs ? ms : null;
  } catch (error) {
    if (error instanceof DurationError) return null;
    throw error;
  }
}

/** `2026-11-23 09:08:07` in UTC, as Prometheus writes it, or any ISO form; unix seconds too. */
function readTime(text: string | null): number | null {
  if (text === null || text.trim() === '') return null;
  const trimmed = text.trim();
  const seconds = Number(trimmed);
  const isZoned = /[zZ]$|[+-]\d{2}:?\d{2}$/.test(trimmed);
  const timeMs = Number.isNaN(seconds)
    ? Date.parse(isZoned ? trimmed : `${trimmed.replace(' ', 'T')}Z`)
    : seconds * 1000;
  return Math.abs(timeMs) <= MAX_TIME_MS ? timeMs : null;
}

function writeTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

const samePanel = (a: PanelState, b: PanelState): boolean => JSON.stringify(a) === JSON.stringify(b);
