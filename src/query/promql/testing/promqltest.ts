/**
 * Runs PromQL test scripts against the engine: loads, evaluates, compares.
 *
 * Each instant evaluation is also made as a range query around its time, and must say the same at that step.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '../../../core/base/errors.ts';
import { DurationError } from '../../../core/model/duration.ts';
import { Engine } from '../engine.ts';
import type { QueryResult } from '../result.ts';
import { compareInstant, compareMatrix, compareRangeAt } from './compare.ts';
import { load } from './load.ts';
import { MemoryStorage } from './memory-storage.ts';
import { ScriptError, parseScript, type Command, type EvalCommand, type ExpectedText } from './script.ts';

export interface ScriptFailure {
  readonly file: string;
  readonly line: number;
  readonly query: string;
  readonly message: string;
}

export interface ScriptOutcome {
  /** Evaluations that came out as expected. */
  readonly passed: number;
  readonly failures: readonly ScriptFailure[];
}

export interface ScriptOptions {
  /** Evaluate only the command that begins at this line or holds it; 0: all. */
  readonly line?: number;
}

const LOOKBACK_MS = 300_000;
const MAX_SAMPLES = 10_000;
const DEFAULT_STEP_MS = 60_000;
/** An instant query is repeated over this much before and after its time. */
const AROUND_MS = 60_000;
/** What means something else in a range query. */
const READS_BOUNDS = /\b(?:start|end|step|range)\(\)/;
const FEATURES = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'use-start-timestamps',
];

/** Runs one script. @throws ScriptError if it breaks its language */
export async function runPromqlTestFile(
  text: string,
  fileName: string,
  options: ScriptOptions = {},
): Promise<ScriptOutcome> {
  const commands = parseScript(text);
  const storage = new MemoryStorage();
  // The feature changes what is said of metrics without a type.
  const featureFlags = text.includes('__type__') ? [...FEATURES, 'type-and-unit-labels'] : FEATURES;
  const engine = new Engine({
    lookbackMs: LOOKBACK_MS,
    maxSamples: MAX_SAMPLES,
    defaultStepMs: DEFAULT_STEP_MS,
    featureFlags,
  });
  const chosen = chosenLine(commands, options.line ?? 0);
  const failures: ScriptFailure[] = [];
  let passed = 0;
  for (const command of commands) {
    if (command.kind === 'clear') storage.clear();
    else if (command.kind === 'load') load(storage, command);
    else if (chosen === 0 || command.line === chosen) {
      const message = await evaluate(engine, storage, command);
      if (message === null) passed++;
      else failures.push({ file: fileName, line: command.line, query: command.query, message });
    }
  }
  return { passed, failures };
}

/** Runs files, and the `*.test` files of folders; `file:41` runs one case. Prints a line per file and each failure. */
export async function runPromqlTests(
  paths: readonly string[],
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  let passed = 0;
  let failed = 0;
  for (const { path, line } of await findScripts(paths)) {
    const name = basename(path);
    let outcome: ScriptOutcome;
    try {
      outcome = await runPromqlTestFile(await readFile(path, 'utf8'), name, { line });
    } catch (error) {
      if (!(error instanceof ScriptError) && !(error instanceof DurationError)) throw error;
      outcome = { passed: 0, failures: [{ file: name, line: 0, query: '', message: error.message }] };
    }
    passed += outcome.passed;
    failed += outcome.failures.length;
    stdout += `${name}: ${outcome.passed} passed, ${outcome.failures.length} failed\n`;
    for (const { file, line, query, message } of outcome.failures)
      stderr += `${file}:${line}: ${query}\n  ${message}\n`;
  }
  return {
    exitCode: failed > 0 || passed === 0 ? 1 : 0,
    stdout: `${stdout}${passed} passed, ${failed} failed\n`,
    stderr,
  };
}

/** A file that is not there is looked for by name where the conformance scripts are. */
const CONFORMANCE = new URL('../../../../../shared/conformance/promql/', import.meta.url);

async function resolveScript(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists ? path : fileURLToPath(new URL(path, CONFORMANCE));
}

async function findScripts(paths: readonly string[]): Promise<{ path: string; line: number }[]> {
  const scripts: { path: string; line: number }[] = [];
  for (const argument of paths) {
    const [, named = argument, line = '0'] = /^(.*?)(?::(\d+))?$/.exec(argument) ?? [];
    const path = await resolveScript(named);
    if (!(await stat(path)).isDirectory()) {
      scripts.push({ path, line: Number(line) });
      continue;
    }
    const names = (await readdir(path)).filter((name) => name.endsWith('.test')).sort();
    scripts.push(...names.map((name) => ({ path: join(path, name), line: 0 })));
  }
  return scripts;
}

/** The line of the evaluation that `line` points into. */
function chosenLine(commands: readonly Command[], line: number): number {
  if (line === 0) return 0;
  return commands.findLast((command) => command.kind === 'eval' && command.line <= line)?.line ?? line;
}

/** What went wrong, or null. */
async function evaluate(engine: Engine, storage: MemoryStorage, command: EvalCommand): Promise<string | null> {
  const { query, range, timeMs } = command;
  if (range !== null) {
    return check(
      command,
      () => engine.range(storage, { query, ...range }),
      ({ value }) =>
        value.type === 'matrix'
          ? compareMatrix(value.series, command.series, range)
          : `expected a matrix, got a ${value.type}`,
    );
  }
  const first = await check(
    command,
    () => engine.instant(storage, { query, timeMs }),
    ({ value }) => compareInstant(value, command),
  );
  if (
    first !== null ||
    READS_BOUNDS.test(query) ||
    command.isOrdered ||
    command.string !== null ||
    command.rangeVector !== null
  )
    return first;
  const around = { startMs: timeMs - AROUND_MS, endMs: timeMs + AROUND_MS, stepMs: AROUND_MS };
  const values: EvalCommand = { ...command, texts: command.texts.filter(({ kind }) => kind === 'fail') };
  const second = await check(
    values,
    () => engine.range(storage, { query, ...around }),
    ({ value }) =>
      value.type === 'matrix'
        ? compareRangeAt(value.series, timeMs, command)
        : `expected a matrix, got a ${value.type}`,
  );
  return second === null ? null : `as a range query: ${second}`;
}

async function check(
  { texts }: EvalCommand,
  run: () => Promise<QueryResult>,
  compare: (result: QueryResult) => string | null,
): Promise<string | null> {
  const mustFail = texts.filter(({ kind }) => kind === 'fail');
  let result: QueryResult;
  try {
    result = await run();
  } catch (error) {
    const message = errorMessage(error);
    if (mustFail.length === 0)
      return `failed: ${message}${error instanceof Error && error.name === 'TypeError' ? `\n${error.stack ?? ''}` : ''}`;
    const unmet = mustFail.find((expected) => !matchesText(expected, message));
    return unmet === undefined
      ? null
      : `expected to fail with ${unmet.message ?? unmet.regex ?? ''}, failed with ${message}`;
  }
  if (mustFail.length > 0) return 'expected to fail';
  return (
    checkAnnotations(texts, 'warn', result.warnings) ?? checkAnnotations(texts, 'info', result.infos) ?? compare(result)
  );
}

function checkAnnotations(
  texts: readonly ExpectedText[],
  kind: 'warn' | 'info',
  got: readonly string[],
): string | null {
  if (texts.some((expected) => expected.kind === `no_${kind}`) && got.length > 0)
    return `expected no ${kind}, got ${got.join('; ')}`;
  const expected = texts.filter((text) => text.kind === kind);
  if (expected.length === 0) return null;
  if (got.length === 0) return `expected a ${kind}`;
  const unmet = expected.find((text) => !got.some((message) => matchesText(text, message)));
  if (unmet !== undefined) return `expected ${kind} ${unmet.message ?? unmet.regex ?? ''}, got ${got.join('; ')}`;
  const surplus = got.find((message) => !expected.some((text) => matchesText(text, message)));
  return surplus === undefined ? null : `unexpected ${kind} ${surplus}`;
}

function matchesText({ message, regex }: ExpectedText, text: string): boolean {
  if (message !== null) return text === message;
  return regex === null || new RegExp(regex).test(text);
}
