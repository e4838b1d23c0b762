/**
 * How far a long command is: amount, rate and what is left, on the error output once it has run for a second.
 *
 * Where somebody watches, one line is drawn over itself and wiped away at the end; elsewhere, in logs, a line comes now and then. Callers
 * report as often as they like.
 */
import type { Clock } from '../../core/base/clock.ts';
import type { Terminal } from './terminal.ts';

/** Shorter runs show nothing. */
const QUIET_MS = 1000;
/** Between two drawings of the line, and between two lines of a log. */
const REDRAW_MS = 100;
const LOG_MS = 10_000;
const BAR_CELLS = 24;
/** Carriage return and "erase to the end of the line". */
const WIPE = '\r\u001B[K';

export interface ProgressOptions {
  /** What is going on, such as `reading samples`. */
  readonly label: string;
  /** What is counted. */
  readonly unit: 'bytes' | 'blocks' | 'series' | 'samples' | 'segments' | 'queries';
  /** Null where nobody knows. */
  readonly total: number | null;
}

export class Progress {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #options: ProgressOptions;
  readonly #beganMs: number;
  #shownMs: number;
  #hasLine = false;

  constructor(terminal: Terminal, clock: Clock, options: ProgressOptions) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#options = options;
    this.#beganMs = clock.monotonicMs();
    const intervalMs = terminal.isWatched ? REDRAW_MS : LOG_MS;
    this.#shownMs = this.#beganMs + QUIET_MS - intervalMs;
  }

  /** @param done of the total @param note what is being done just now, if that says something */
  report(done: number, note = ''): void {
    const nowMs = this.#clock.monotonicMs();
    const { isWatched } = this.#terminal;
    if (nowMs - this.#shownMs < (isWatched ? REDRAW_MS : LOG_MS)) return;
    this.#shownMs = nowMs;
    const text = progressText(this.#options, done, nowMs - this.#beganMs) + (note === '' ? '' : `  ${note}`);
    this.#terminal.err(isWatched ? WIPE + text : `${text}\n`);
    this.#hasLine = isWatched;
  }

  /** Wipes the line away; whatever is printed next stands in its place. Reports may go on. */
  end(): void {
    if (this.#hasLine) this.#terminal.err(WIPE);
    this.#hasLine = false;
  }
}

/** `reading [#####     ] 21 %  1.2 GB of 5.7 GB, 310 MB/s, 14s left` */
export function progressText({ label, unit, total }: ProgressOptions, done: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const amount = (count: number): string => (unit === 'bytes' ? scaled(count, 'B') : scaled(count, ''));
  const speed = unit === 'bytes' ? `${amount(rate)}/s` : `${amount(rate)} ${unit}/s`;
  if (total === null) return `${label}  ${amount(done)}${unit === 'bytes' ? '' : ` ${unit}`}, ${speed}`;
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const cells = Math.floor(share * BAR_CELLS);
  const left = rate > 0 ? `, ${shortDuration(((total - done) / rate) * 1000)} left` : '';
  const bar = `[${'#'.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`;
  const amounts = `${amount(done)} of ${amount(total)}${unit === 'bytes' ? '' : ` ${unit}`}`;
  return `${label} ${bar} ${Math.floor(share * 100)} %  ${amounts}, ${speed}${left}`;
}

const SCALES: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three digits and a prefix. */
function scaled(value: number, unit: string): string {
  const [scale, prefix] = SCALES.find(([least]) => value >= least) ?? [1, ''];
  const number = value / scale;
  const digits = scale === 1 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  const text = number.toFixed(digits);
  return prefix + unit === '' ? text : `${text} ${prefix}${unit}`;
}

/** Its two largest units. */
function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}
