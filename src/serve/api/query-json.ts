/**
 * The body of an answered query: a `QueryResult` as the JSON of Prometheus' API, in pieces.
 *
 * Runs in the query worker. Series labels are written as strings, samples digit by digit; nothing is built in between, so
 * memory stays at one piece however large the result is.
 * Source: Prometheus, web/api/v1 json codec (verified against 2.42).
 */
import type { Labels } from '../../core/model/labels.ts';
import type { QueryResult, QueryStats, QueryValue, ResultSeries } from '../../query/promql/result.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeHistogram } from './histogram-json.ts';
import { jsonString, jsonText } from './json-text.ts';

/** Warnings shown, and as many infos; the rest is counted. */
export const MAX_ANNOTATIONS = 10;
/** Samples written between two looks at the piece's size; their bytes fit the writer's slack. */
const SAMPLES_PER_LOOK = 200;

const LIMIT_WARNING = 'results truncated due to limit';
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

export interface QueryJsonOptions {
  /** Most series of a vector or matrix; 0 for all. Cutting adds a warning. */
  readonly limit: number;
  readonly stats: boolean;
  /** How long the query waited for its turn. */
  readonly queueMs: number;
}

/** The whole response body. Pieces are owned by the receiver and may be transferred. */
export function* writeQueryJson(
  result: QueryResult,
  options: QueryJsonOptions,
): Generator<Uint8Array<ArrayBuffer>, void> {
  const out = new ByteWriter();
  const { value } = result;
  out.text(`{"status":"success","data":{"resultType":"${value.type}","result":`);
  let cut = false;
  if (value.type === 'vector') cut = yield* writeVector(out, value, options.limit);
  else if (value.type === 'matrix') cut = yield* writeMatrix(out, value.series, options.limit);
  else {
    out.text(`[${value.timeMs / 1000},`);
    if (value.type === 'string') out.text(jsonString(value.value));
    else writeValue(out, value.value);
    out.text(']');
  }
  if (options.stats) out.text(`,"stats":${statsText(result.stats, options.queueMs)}`);
  out.text('}');
  writeAnnotations(out, 'warnings', 'warning', cut ? [...result.warnings, LIMIT_WARNING] : result.warnings);
  writeAnnotations(out, 'infos', 'info', result.infos);
  out.text('}');
  yield out.take();
}

/** The body of `/series`. */
export function* writeSeriesJson(series: readonly Labels[], limit: number): Generator<Uint8Array<ArrayBuffer>, void> {
  const out = new ByteWriter();
  const members = new LabelText();
  yield* writeList(out, series, limit, (labels) => members.write(out, labels));
  yield out.take();
}

/** The body of `/labels` and `/label/<name>/values`. */
export function* writeStringsJson(strings: readonly string[], limit: number): Generator<Uint8Array<ArrayBuffer>, void> {
  const out = new ByteWriter();
  yield* writeList(out, strings, limit, (text) => out.text(jsonString(text)));
  yield out.take();
}

function* writeList<T>(
  out: ByteWriter,
  items: readonly T[],
  limit: number,
  write: (item: T) => void,
): Generator<Uint8Array<ArrayBuffer>, void> {
  out.text('{"status":"success","data":[');
  const count = limit > 0 ? Math.min(limit, items.length) : items.length;
  for (let i = 0; i < count; i++) {
    if (i > 0) out.byte(COMMA);
    write(items[i]!);
    if (out.isFull) yield out.take();
  }
  out.text(']');
  if (count < items.length) writeAnnotations(out, 'warnings', 'warning', [LIMIT_WARNING]);
  out.text('}');
}

function* writeVector(
  out: ByteWriter,
  value: QueryValue & { type: 'vector' },
  limit: number,
): Generator<Uint8Array<ArrayBuffer>, boolean> {
  const members = new LabelText();
  const count = limit > 0 ? Math.min(limit, value.labels.length) : value.labels.length;
  out.byte(OPEN);
  for (let i = 0; i < count; i++) {
    out.text(i > 0 ? ',{"metric":' : '{"metric":');
    members.write(out, value.labels[i]!);
    const histogram = value.histograms?.[i] ?? null;
    out.text(histogram === null ? ',"value":[' : ',"histogram":[');
    out.timestamp(value.timeMs);
    out.byte(COMMA);
    if (histogram === null) writeValue(out, value.values[i]!);
    else writeHistogram(out, histogram);
    out.text(']}');
    if (out.isFull) yield out.take();
  }
  out.text(']');
  return count < value.labels.length;
}

function* writeMatrix(
  out: ByteWriter,
  series: readonly ResultSeries[],
  limit: number,
): Generator<Uint8Array<ArrayBuffer>, boolean> {
  const members = new LabelText();
  const count = limit > 0 ? Math.min(limit, series.length) : series.length;
  out.byte(OPEN);
  for (let i = 0; i < count; i++) {
    const { labels, times, values, histograms = [] } = series[i]!;
    out.text(i > 0 ? ',{"metric":' : '{"metric":');
    members.write(out, labels);
    if (times.length > 0) {
      out.text(',"values":[');
      for (let from = 0; from < times.length; from += SAMPLES_PER_LOOK) {
        writeSamples(out, times, values, from, Math.min(from + SAMPLES_PER_LOOK, times.length));
        if (out.isFull) yield out.take();
      }
      out.byte(CLOSE);
    }
    for (const [at, { timeMs, histogram }] of histograms.entries()) {
      out.text(at > 0 ? ',[' : ',"histograms":[[');
      out.timestamp(timeMs);
      out.byte(COMMA);
      writeHistogram(out, histogram);
      out.byte(CLOSE);
      if (out.isFull) yield out.take();
    }
    out.text(histograms.length > 0 ? ']}' : '}');
  }
  out.text(']');
  if (out.isFull) yield out.take();
  return count < series.length;
}

function writeSamples(out: ByteWriter, times: Float64Array, values: Float64Array, from: number, end: number): void {
  for (let i = from; i < end; i++) {
    if (i > 0) out.byte(COMMA);
    out.byte(OPEN);
    out.timestamp(times[i]!);
    out.byte(COMMA);
    writeValue(out, values[i]!);
    out.byte(CLOSE);
  }
}

function writeValue(out: ByteWriter, value: number): void {
  out.byte(QUOTE);
  out.float(value);
  out.byte(QUOTE);
}

/** Label sets as JSON objects. Names repeat from series to series, so their text is made once. */
class LabelText {
  readonly #names = new Map<string, string>();

  write(out: ByteWriter, labels: Labels): void {
    out.byte(0x7b);
    for (let i = 0; i < labels.length; i += 2) {
      if (i > 0) out.byte(COMMA);
      out.text(this.#name(labels[i]!));
      out.text(jsonString(labels[i + 1]!));
    }
    out.byte(0x7d);
  }

  #name(name: string): string {
    let text = this.#names.get(name);
    if (text === undefined) {
      text = `${jsonString(name)}:`;
      this.#names.set(name, text);
    }
    return text;
  }
}

function writeAnnotations(out: ByteWriter, key: string, noun: string, texts: readonly string[]): void {
  if (texts.length === 0) return;
  const shown = texts.slice(0, MAX_ANNOTATIONS);
  const omitted = texts.length - shown.length;
  if (omitted > 0) shown.push(`${omitted} more ${noun} annotations omitted`);
  out.text(`,"${key}":${jsonText(shown)}`);
}

function statsText(stats: QueryStats, queueMs: number): string {
  const innerMs = stats.evaluationMs;
  const evalMs = stats.preparationMs + innerMs + stats.sortMs;
  return JSON.stringify({
    timings: {
      evalTotalTime: evalMs / 1000,
      resultSortTime: stats.sortMs / 1000,
      queryPreparationTime: stats.preparationMs / 1000,
      innerEvalTime: innerMs / 1000,
      execQueueTime: queueMs / 1000,
      execTotalTime: (evalMs + queueMs) / 1000,
    },
    samples: { totalQueryableSamples: stats.totalQueryableSamples, peakSamples: stats.peakSamples },
  });
}
