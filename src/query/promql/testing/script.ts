/**
 * PromQL test scripts as a list of commands.
 *
 * A command begins at the left margin of its block and ends at a blank or comment line.
 * Source: Prometheus, promqltest.
 */
import { parseDuration } from '../../../core/model/duration.ts';
import type { Labels } from '../../../core/model/labels.ts';
import { unquote } from '../parse/string-literal.ts';
import { NotationError, parsePoints, parseScalar, takeSeries, type Point } from './series-notation.ts';

export interface LoadedSeries {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

/** How long before (negative) its sample each counter began; null: not said. */
export interface StartTimes {
  readonly labels: Labels;
  readonly offsetsMs: readonly (number | null)[];
}

export type AnnotationKind = 'fail' | 'warn' | 'info' | 'no_warn' | 'no_info';

export interface ExpectedText {
  readonly kind: AnnotationKind;
  readonly message: string | null;
  readonly regex: string | null;
}

export interface ExpectedGrid {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export interface EvalCommand {
  readonly kind: 'eval';
  readonly line: number;
  readonly query: string;
  /** Null: instant. */
  readonly range: ExpectedGrid | null;
  readonly timeMs: number;
  readonly texts: readonly ExpectedText[];
  readonly isOrdered: boolean;
  readonly string: string | null;
  readonly scalar: number | null;
  readonly series: readonly LoadedSeries[];
  /** An instant query whose result is a matrix on this grid. */
  readonly rangeVector: ExpectedGrid | null;
}

export type Command =
  | { readonly kind: 'clear'; readonly line: number }
  | {
      readonly kind: 'load';
      readonly line: number;
      readonly stepMs: number;
      readonly withCustomBuckets: boolean;
      readonly series: readonly LoadedSeries[];
      readonly startTimes: readonly StartTimes[];
    }
  | EvalCommand;

/** A script that breaks its language. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

const INSTANT = /^eval(?:_(fail|warn|info|ordered))?\s+instant(?:\s+at\s+(\S+))?\s+(.+)$/;
const RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;
const EXPECT_TEXT = /^expect\s+(fail|warn|info|no_warn|no_info)(?:\s+(msg|regex):\s*(.*))?$/;
const EXPECT_RANGE = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/;
const OLD_EXPECT = /^expected_fail_(message|regexp)\s+(.*)$/;
const START_SUFFIX = /^@st\s+/;
const OFFSET = /^([+-]?)([\da-wyz]+)(?:([+-])([\da-wyz]+))?(?:x(\d+))?$/;

/** @throws ScriptError with the line */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => (line.trimStart().startsWith('#') ? '' : line.trim()));
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] === '') continue;
    let end = at + 1;
    if (lines[at] !== 'clear') while (end < lines.length && lines[end] !== '') end++;
    const block = lines.slice(at, end);
    try {
      commands.push(parseCommand(block[0]!, block.slice(1), at + 1));
    } catch (error) {
      if (!(error instanceof NotationError)) throw error;
      throw new ScriptError(`line ${at + 1}: ${error.message}`, { cause: error });
    }
    at = end - 1;
  }
  return commands;
}

function parseCommand(head: string, body: readonly string[], line: number): Command {
  if (head === 'clear') return { kind: 'clear', line };
  if (/^load(_with_nhcb)?\s/.test(head)) return parseLoad(head, body, line);
  if (head.startsWith('eval')) return parseEval(head, body, line);
  throw new ScriptError(`line ${line}: unknown command ${JSON.stringify(head)}`);
}

function parseLoad(head: string, body: readonly string[], line: number): Command {
  const [word, step = ''] = head.split(/\s+/);
  const series: LoadedSeries[] = [];
  const startTimes: StartTimes[] = [];
  for (const text of body) {
    const { labels, rest } = takeSeries(text);
    if (START_SUFFIX.test(rest)) startTimes.push({ labels, offsetsMs: parseOffsets(rest.replace(START_SUFFIX, '')) });
    else series.push({ labels, points: parsePoints(rest) });
  }
  return {
    kind: 'load',
    line,
    stepMs: parseDuration(step),
    withCustomBuckets: word === 'load_with_nhcb',
    series,
    startTimes,
  };
}

function parseOffsets(text: string): (number | null)[] {
  const offsets: (number | null)[] = [];
  for (const token of text.trim().split(/\s+/)) {
    const gaps = /^_(?:x(\d+))?$/.exec(token);
    if (gaps !== null) {
      for (let i = 0; i < Number(gaps[1] ?? '1'); i++) offsets.push(null);
      continue;
    }
    const match = OFFSET.exec(token);
    if (match === null) throw new NotationError(`bad start time: ${token}`);
    const [, sign, first, stepSign, step, times = '0'] = match;
    const startMs = parseDuration(first!) * (sign === '-' ? -1 : 1);
    const strideMs = step === undefined ? 0 : parseDuration(step) * (stepSign === '-' ? -1 : 1);
    for (let i = 0; i <= Number(times); i++) offsets.push(startMs + i * strideMs);
  }
  return offsets;
}

function parseEval(head: string, body: readonly string[], line: number): EvalCommand {
  const instant = INSTANT.exec(head);
  const range = RANGE.exec(head);
  if (instant === null && range === null) throw new ScriptError(`line ${line}: bad eval: ${head}`);
  const mode = instant?.[1] ?? range?.[1];
  const texts: ExpectedText[] = [];
  if (mode === 'fail' || mode === 'warn' || mode === 'info') texts.push({ kind: mode, message: null, regex: null });
  const expected = {
    texts,
    isOrdered: mode === 'ordered',
    string: null as string | null,
    scalar: null as number | null,
    series: [] as LoadedSeries[],
    rangeVector: null as ExpectedGrid | null,
  };
  for (const text of body) takeExpectation(text, expected);
  return {
    kind: 'eval',
    line,
    query: (instant?.[3] ?? range?.[5])!,
    timeMs: instant?.[2] === undefined ? 0 : parseTime(instant[2]),
    range:
      range === null
        ? null
        : { startMs: parseTime(range[2]!), endMs: parseTime(range[3]!), stepMs: parseTime(range[4]!) },
    ...expected,
  };
}

interface Expectations {
  readonly texts: ExpectedText[];
  isOrdered: boolean;
  string: string | null;
  scalar: number | null;
  readonly series: LoadedSeries[];
  rangeVector: ExpectedGrid | null;
}

function takeExpectation(text: string, expected: Expectations): void {
  const old = OLD_EXPECT.exec(text);
  if (old !== null) {
    const [, kind, value] = old;
    expected.texts.push({
      kind: 'fail',
      message: kind === 'message' ? value! : null,
      regex: kind === 'regexp' ? value! : null,
    });
    return;
  }
  const annotation = EXPECT_TEXT.exec(text);
  if (annotation !== null) {
    const [, kind, how, value] = annotation;
    expected.texts.push({
      kind: kind as AnnotationKind,
      message: how === 'msg' ? value!.trim() : null,
      regex: how === 'regex' ? value!.trim() : null,
    });
    return;
  }
  const range = EXPECT_RANGE.exec(text);
  if (range !== null) {
    expected.rangeVector = { startMs: parseTime(range[1]!), endMs: parseTime(range[2]!), stepMs: parseTime(range[3]!) };
  } else if (/^expect\s+ordered$/.test(text)) expected.isOrdered = true;
  else if (/^expect\s+string\s/.test(text)) expected.string = unquote(text.replace(/^expect\s+string\s+/, ''));
  else {
    const scalar = parseScalar(text);
    if (scalar !== undefined) {
      expected.scalar = scalar;
      return;
    }
    const { labels, rest } = takeSeries(text);
    expected.series.push({ labels, points: parsePoints(rest) });
  }
}

/** A duration, or seconds. */
function parseTime(text: string): number {
  if (/^-?[\d.]+$/.test(text)) return Math.round(Number(text) * 1000);
  return text.startsWith('-') ? -parseDuration(text.slice(1)) : parseDuration(text);
}
