/**
 * What one target's earlier scrapes taught: the raw bytes of each series and the ref they stand for, so that a body is
 * parsed where it lies in linear memory.
 *
 * The kernel takes the lines that it knows; at any other it stops, the full parser reads that one line, and the kernel goes
 * on behind it. Series that are new wait until the whole body has proved well formed, then the resolver gives them refs:
 * a malformed body creates nothing. A good scrape ends with a sweep that finds which series vanished.
 */
import {
  BOUND,
  ENTRY,
  FLAG,
  MODE,
  NONE,
  STATE,
  STOP,
} from '../../core/kernels/exposition-kernel.ts';
import type { Labels } from '../../core/model/labels.ts';
import type { Exemplar, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import { MAX_BODY_BYTES, MAX_CACHED_LINES } from './bounds.ts';
import { ExpositionError } from './errors.ts';
import { LineCache } from './line-cache.ts';
import type { BoundContext, LineParser, ParsedExemplar } from './line-parser.ts';
import { collectMetadata, type MetricMetadata } from './metadata.ts';
import type { ExpositionWorkspace } from './workspace.ts';

/** Turns a series seen for the first time into a ref of the head. */
export interface SeriesResolver {
  /**
   * @param labels as exposed, `__name__` among them, sorted by name, names distinct. Unlike stored label sets it keeps
   *   empty values: with honor_labels an empty label hides the target's label of that name.
   * @returns the head's ref, or 0 when relabelling dropped the series
   * Whatever it throws fails the scrape: `parse` undoes its own changes and rethrows it.
   */
  resolve(labels: Labels): SeriesRef;
}

export type ExpositionFormat = 'text' | 'openmetrics';

export interface ParseOptions {
  /** The time of samples that bring none, or whose own time is not honoured. */
  readonly timeMs: number;
  readonly honorTimestamps: boolean;
  /** Series with explicit timestamps get stale markers too. */
  readonly trackTimestampsStaleness: boolean;
  /** Most samples after relabelling; 0 is no limit. */
  readonly sampleLimit: number;
}

/** A body inside the workspace's linear memory. At least BODY_PADDING_BYTES behind it may be overwritten. */
export interface BodyPlace {
  readonly address: number;
  readonly length: number;
}
export const BODY_PADDING_BYTES = 64;

/** More samples than `sample_limit` allows. Nothing of the scrape counts. */
export class SampleLimitError extends Error {
  override readonly name = 'SampleLimitError';
  readonly samplesScraped: number;
  /** At least: series that are new and were not resolved any more count as kept. */
  readonly samplesAfterRelabel: number;

  constructor(samplesScraped: number, samplesAfterRelabel: number) {
    super('sample limit exceeded');
    this.samplesScraped = samplesScraped;
    this.samplesAfterRelabel = samplesAfterRelabel;
  }
}

export interface ParsedScrape {
  /** In the order of the body. Views over the workspace's memory: valid until the next `parse` in that workspace. */
  readonly columns: SampleColumns;
  /** All sample lines: `scrape_samples_scraped`. */
  readonly samplesScraped: number;
  /** Those that relabelling kept, repeated ones included: `scrape_samples_post_metric_relabeling`. */
  readonly samplesAfterRelabel: number;
  /** Kept series that the last successful scrape did not have: `scrape_series_added`. */
  readonly seriesAdded: number;
  /** Lines without timestamp whose series came before in the same body; the first one is in `columns`. */
  readonly duplicates: number;
  /** OpenMetrics only; those without a timestamp have their sample's. */
  readonly exemplars: readonly Exemplar[];
  /** Whether comment lines came that were not known. */
  readonly metadataChanged: boolean;
  /** Refs of the last successful scrape that this one lacks, each once: they get a stale marker at `timeMs`. */
  readonly vanishedRefs: Uint32Array;
}

/** Series that are new keep their labels until they are resolved; past this many they are parsed a second time instead. */
const MAX_HELD_LABELS = 16_384;
/** Samples after which the lines' mean length says how many are still to come. */
const ENOUGH_LINES = 16;

const BOUND_BITS: Readonly<Record<BoundContext, number>> = BOUND;
const CONTEXTS: readonly BoundContext[] = ['other', 'histogram', 'summary', 'other'];

/** A series that this body brought. */
interface NewSeries {
  readonly index: number;
  readonly lineStart: number;
  readonly context: BoundContext;
  readonly labels: Labels | undefined;
}

/** What one parse has gathered outside the kernel's state. */
interface Parse {
  readonly format: ExpositionFormat;
  readonly parser: LineParser;
  readonly options: ParseOptions;
  readonly body: BodyPlace;
  readonly series: NewSeries[];
  /** Entries that were dead before. */
  readonly revived: number[];
  /** Samples of new series: slot in the columns, entry. */
  readonly openSlots: number[];
  /** Entries of new series, one for each repeated line. */
  readonly openDuplicates: number[];
  readonly exemplars: { readonly index: number; readonly timeMs: number; readonly exemplar: ParsedExemplar }[];
  metadataChanged: boolean;
}

export class ScrapeCache {
  readonly #workspace: ExpositionWorkspace;
  readonly #cache: LineCache;
  readonly #maxLines: number;
  /** Of the last parse, good or not. */
  #scrape = 0;

  /** @param maxLines most series and comment lines that are known at once */
  constructor(workspace: ExpositionWorkspace, maxLines = MAX_CACHED_LINES) {
    this.#workspace = workspace;
    this.#maxLines = maxLines;
    this.#cache = new LineCache(workspace.memory, workspace.pool, workspace.kernel);
  }

  /**
   * Parses one body.
   * @throws ExpositionError on a malformed or oversized body, SampleLimitError, or what the resolver throws. Then nothing
   *   that a caller sees has changed; the caller ends the live series with `forgetAll`.
   */
  parse(body: BodyPlace, format: ExpositionFormat, options: ParseOptions, resolver: SeriesResolver): ParsedScrape {
    if (body.length > MAX_BODY_BYTES) throw new ExpositionError(`body is longer than ${MAX_BODY_BYTES} bytes`, 0);
    this.#scrape++;
    const mark = this.#cache.mark();
    const parse = this.#begin(body, format, options);
    let columns: SampleColumns;
    let seriesAdded: number;
    try {
      this.#readLines(parse);
      seriesAdded = this.#resolve(parse, resolver);
      columns = this.#closeColumns(parse);
    } catch (error) {
      for (const index of parse.revived) this.#cache.changeFlags(index, FLAG.dead, FLAG.unresolved);
      this.#cache.rollback(mark);
      throw error;
    }
    const exemplars = this.#exemplarsOf(parse);
    const vanishedRefs = this.#sweep(options.trackTimestampsStaleness);
    if (this.#cache.isWasteful) this.#cache.compact();
    return {
      columns,
      samplesScraped: this.#workspace.stateWord(STATE.lines),
      samplesAfterRelabel: this.#workspace.stateWord(STATE.kept),
      seriesAdded,
      duplicates: this.#workspace.stateWord(STATE.duplicates),
      exemplars,
      metadataChanged: parse.metadataChanged,
      vanishedRefs,
    };
  }

  /**
   * The refs that need a stale marker because a scrape failed or the target ended, each once. Afterwards no series is
   * live, but the bytes stay known, so the next good scrape is fast and adds no series.
   */
  forgetAll(): Uint32Array {
    const refs = new Set<SeriesRef>();
    for (let i = 0; i < this.#cache.entryCount; i++) {
      if ((this.#cache.flags(i) & FLAG.live) === 0) continue;
      refs.add(this.#cache.word(i, ENTRY.ref));
      this.#cache.changeFlags(i, 0, FLAG.live);
    }
    return Uint32Array.from(refs);
  }

  /** Series whose ref the head has dropped are resolved anew when they appear again. Call it after the head removed series. */
  unbind(isGone: (ref: SeriesRef) => boolean): void {
    for (let i = 0; i < this.#cache.entryCount; i++) {
      const ref = this.#cache.word(i, ENTRY.ref);
      const flags = this.#cache.flags(i);
      if (ref === 0 || (flags & (FLAG.comment | FLAG.dead)) !== 0 || !isGone(ref)) continue;
      this.#cache.changeFlags(i, FLAG.dead, FLAG.live);
    }
  }

  /** Families seen in one of the last ten scrapes, sorted by name. Made from the cached lines at each call. */
  metadata(): MetricMetadata[] {
    return collectMetadata(this.#cache, this.#workspace);
  }

  /** Linear memory that this cache holds. */
  memoryBytes(): number {
    return this.#cache.bytes;
  }

  /** Gives the memory back to the workspace's pool. The cache must not be used afterwards. */
  close(): void {
    this.#cache.close();
  }

  #begin(body: BodyPlace, format: ExpositionFormat, options: ParseOptions): Parse {
    const workspace = this.#workspace;
    workspace.memory.refresh();
    // The kernel looks for newlines without looking for the end.
    workspace.memory.u8[body.address + body.length] = 0x0a;
    const words: readonly (readonly [number, number])[] = [
      [STATE.position, body.address],
      [STATE.end, body.address + body.length],
      [STATE.mode, (format === 'openmetrics' ? MODE.openMetrics : 0) | (options.honorTimestamps ? MODE.honorTimestamps : 0)],
      [STATE.scrape, this.#scrape],
      [STATE.bound, BOUND.other],
      [STATE.previous, NONE],
      [STATE.count, 0],
      [STATE.lines, 0],
      [STATE.kept, 0],
      [STATE.duplicates, 0],
    ];
    for (const [word, value] of words) workspace.setStateWord(word, value);
    workspace.memory.f64[(workspace.state >>> 3) + STATE.timeMs / 2] = options.timeMs;
    const parser = format === 'openmetrics' ? workspace.openMetricsParser : workspace.textParser;
    parser.begin(workspace.memory.u8, body.address, body.address + body.length);
    return {
      format,
      parser,
      options,
      body,
      series: [],
      revived: [],
      openSlots: [],
      openDuplicates: [],
      exemplars: [],
      metadataChanged: false,
    };
  }

  #readLines(parse: Parse): void {
    const workspace = this.#workspace;
    const { parser } = parse;
    for (;;) {
      const stop = workspace.kernel.parse(this.#cache.address, workspace.state);
      workspace.memory.refresh();
      if (stop === STOP.end) return;
      if (stop === STOP.full) {
        workspace.reserveSample();
        continue;
      }
      parser.position = workspace.stateWord(STATE.position);
      parser.boundContext = CONTEXTS[workspace.stateWord(STATE.bound)]!;
      const line = parser.next();
      if (line === 'end') return;
      if (line === 'series') this.#takeSeries(parse);
      else if (line !== 'comment') this.#takeComment(parse, line === 'type');
      workspace.setStateWord(STATE.position, parser.position);
      workspace.setStateWord(STATE.bound, BOUND_BITS[parser.boundContext]);
    }
  }

  #takeSeries(parse: Parse): void {
    const workspace = this.#workspace;
    const cache = this.#cache;
    const { parser } = parse;
    const index = this.#findSeries(parse);
    workspace.setStateWord(STATE.lines, workspace.stateWord(STATE.lines) + 1);
    const explicit = parser.hasTime && parse.options.honorTimestamps;
    const isNew = (cache.flags(index) & FLAG.unresolved) !== 0;
    const ref = cache.word(index, ENTRY.ref);
    const timeMs = explicit ? parser.timeMs : parse.options.timeMs;
    this.#expectAfterPrevious(index);
    if (cache.word(index, ENTRY.seen) === this.#scrape && !explicit) {
      if (isNew) parse.openDuplicates.push(index);
      else if (ref !== 0) this.#countDuplicate();
      return;
    }
    if (isNew || ref !== 0) {
      const slot = this.#pushSample(ref, timeMs, parser.value);
      if (isNew) parse.openSlots.push(slot, index);
      else workspace.setStateWord(STATE.kept, workspace.stateWord(STATE.kept) + 1);
      if (parser.exemplar !== undefined) parse.exemplars.push({ index, timeMs, exemplar: parser.exemplar });
    }
    cache.setWord(index, ENTRY.seen, this.#scrape);
    cache.changeFlags(index, explicit ? FLAG.explicit : 0, explicit ? 0 : FLAG.explicit);
  }

  #countDuplicate(): void {
    const workspace = this.#workspace;
    workspace.setStateWord(STATE.kept, workspace.stateWord(STATE.kept) + 1);
    workspace.setStateWord(STATE.duplicates, workspace.stateWord(STATE.duplicates) + 1);
  }

  /** The entry of the series that the parser has read; a new one, or one that was dead, waits to be resolved. */
  #findSeries(parse: Parse): number {
    const { parser } = parse;
    const kind = parse.format === 'openmetrics' ? FLAG.openMetrics : 0;
    const bound = BOUND_BITS[parser.boundContext];
    const length = parser.seriesEnd - parser.seriesStart;
    const found = this.#workspace.kernel.find(this.#cache.address, parser.seriesStart, length, kind, bound);
    if (found !== NONE && (this.#cache.flags(found) & FLAG.dead) === 0) return found;
    const labels = parser.labels();
    let index = found;
    if (found === NONE) {
      const flags = kind | FLAG.unresolved | (parser.hasBound ? bound << 24 : 0);
      index = this.#add(parse, parser.seriesStart, length, flags);
    } else {
      parse.revived.push(found);
      this.#cache.changeFlags(found, FLAG.unresolved, FLAG.dead);
      this.#cache.setWord(found, ENTRY.ref, 0);
    }
    parse.series.push({
      index,
      lineStart: parser.lineStart,
      context: parser.boundContext,
      labels: parse.series.length < MAX_HELD_LABELS ? labels : undefined,
    });
    return index;
  }

  #add(parse: Parse, at: number, length: number, flags: number): number {
    if (this.#cache.entryCount >= this.#maxLines) throw new ExpositionError(`more than ${this.#maxLines} series`, 0);
    const { body, parser } = parse;
    const bytes = body.address + body.length - parser.lineStart;
    const lines = this.#workspace.stateWord(STATE.lines);
    const expected = lines < ENOUGH_LINES ? 0 : Math.ceil((bytes * lines) / (parser.lineStart - body.address));
    return this.#cache.add(at, length, flags, { lines: expected, bytes });
  }

  #takeComment(parse: Parse, isType: boolean): void {
    const { parser } = parse;
    const { u8 } = this.#workspace.memory;
    const kind = FLAG.comment | (parse.format === 'openmetrics' ? FLAG.openMetrics : 0);
    const hasNewline = u8[parser.position - 1] === 0x0a;
    const length = parser.position - parser.lineStart - (hasNewline ? 1 : 0);
    let index = this.#workspace.kernel.find(this.#cache.address, parser.lineStart, length, kind, BOUND.other);
    if (index === NONE) {
      index = this.#add(parse, parser.lineStart, length, kind | (isType ? BOUND_BITS[parser.boundContext] << 24 : 0));
      parse.metadataChanged = true;
    } else if ((this.#cache.flags(index) & FLAG.dead) !== 0) {
      this.#cache.changeFlags(index, 0, FLAG.dead);
      parse.metadataChanged = true;
    }
    this.#cache.setWord(index, ENTRY.seen, this.#scrape);
    this.#expectAfterPrevious(index);
  }

  #expectAfterPrevious(index: number): void {
    const previous = this.#workspace.stateWord(STATE.previous);
    if (previous === NONE) this.#cache.setFirst(index);
    else this.#cache.setWord(previous, ENTRY.next, index);
    this.#workspace.setStateWord(STATE.previous, index);
  }

  /** @returns the sample's slot in the columns */
  #pushSample(ref: SeriesRef, timeMs: number, value: number): number {
    const workspace = this.#workspace;
    workspace.reserveSample();
    const { u32, f64 } = workspace.memory;
    const slot = workspace.stateWord(STATE.count);
    u32[(workspace.stateWord(STATE.refs) >>> 2) + slot] = ref;
    f64[(workspace.stateWord(STATE.times) >>> 3) + slot] = timeMs;
    const at = (workspace.stateWord(STATE.values) >>> 3) + slot;
    if (Number.isNaN(value)) {
      // The ordinary NaN of the formats has its lowest bit set.
      u32[2 * at] = 0x00000001;
      u32[2 * at + 1] = 0x7ff80000;
    } else f64[at] = value;
    workspace.setStateWord(STATE.count, slot + 1);
    return slot;
  }

  /** Gives the new series their refs. @returns how many were kept */
  #resolve(parse: Parse, resolver: SeriesResolver): number {
    const { sampleLimit } = parse.options;
    const known = this.#workspace.stateWord(STATE.count) - parse.openSlots.length / 2;
    let added = 0;
    for (const series of parse.series) {
      if (sampleLimit > 0 && known + added > sampleLimit) break;
      const ref = resolver.resolve(series.labels ?? this.#labelsAgain(parse, series));
      this.#cache.setWord(series.index, ENTRY.ref, ref);
      this.#cache.changeFlags(series.index, 0, FLAG.unresolved);
      if (ref !== 0) added++;
    }
    if (sampleLimit > 0 && known + added > sampleLimit) {
      const lines = this.#workspace.stateWord(STATE.lines);
      throw new SampleLimitError(lines, this.#workspace.stateWord(STATE.kept) + parse.series.length + parse.openDuplicates.length);
    }
    return added;
  }

  #labelsAgain(parse: Parse, series: NewSeries): Labels {
    parse.parser.position = series.lineStart;
    parse.parser.boundContext = series.context;
    parse.parser.next();
    return parse.parser.labels();
  }

  /** Puts the refs of new series into the columns and takes out what relabelling dropped. */
  #closeColumns(parse: Parse): SampleColumns {
    const workspace = this.#workspace;
    const { openSlots } = parse;
    const all = workspace.columns(workspace.stateWord(STATE.count));
    let dropped = 0;
    for (let i = 0; i < openSlots.length; i += 2) {
      const ref = this.#cache.word(openSlots[i + 1]!, ENTRY.ref);
      all.refs[openSlots[i]!] = ref;
      if (ref === 0) dropped++;
    }
    workspace.setStateWord(STATE.kept, workspace.stateWord(STATE.kept) + openSlots.length / 2 - dropped);
    for (const index of parse.openDuplicates) if (this.#cache.word(index, ENTRY.ref) !== 0) this.#countDuplicate();
    const count = dropped === 0 ? all.count : removeZeroRefs(all);
    const { sampleLimit } = parse.options;
    if (sampleLimit > 0 && count > sampleLimit) {
      throw new SampleLimitError(workspace.stateWord(STATE.lines), workspace.stateWord(STATE.kept));
    }
    return workspace.columns(count);
  }

  #exemplarsOf(parse: Parse): Exemplar[] {
    const exemplars: Exemplar[] = [];
    for (const { index, timeMs, exemplar } of parse.exemplars) {
      const ref = this.#cache.word(index, ENTRY.ref);
      if (ref !== 0) exemplars.push({ ref, labels: exemplar.labels, value: exemplar.value, timeMs: exemplar.timeMs ?? timeMs });
    }
    return exemplars;
  }

  #sweep(trackTimestampsStaleness: boolean): Uint32Array {
    const workspace = this.#workspace;
    const cache = this.#cache;
    if (cache.entryCount === 0) return new Uint32Array(0);
    const at = workspace.vanishedRefs(cache.entryCount);
    const count = workspace.kernel.sweep(cache.address, this.#scrape, trackTimestampsStaleness ? 1 : 0, at);
    if (count === 0) return new Uint32Array(0);
    workspace.memory.refresh();
    const vanished = new Set(workspace.memory.u32.subarray(at >>> 2, (at >>> 2) + count));
    // A series may go on under other bytes, say with its labels in another order.
    for (let i = 0; i < cache.entryCount && vanished.size > 0; i++) {
      if (cache.word(i, ENTRY.seen) === this.#scrape && (cache.flags(i) & FLAG.comment) === 0) vanished.delete(cache.word(i, ENTRY.ref));
    }
    return Uint32Array.from(vanished);
  }
}

/** Closes the gaps of samples without ref. @returns how many are left */
function removeZeroRefs({ refs, times, values, count }: SampleColumns): number {
  let kept = 0;
  // The bits of a NaN survive only as integers.
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * count);
  for (let i = 0; i < count; i++) {
    if (refs[i] === 0) continue;
    refs[kept] = refs[i]!;
    times[kept] = times[i]!;
    bits[2 * kept] = bits[2 * i]!;
    bits[2 * kept + 1] = bits[2 * i + 1]!;
    kept++;
  }
  return kept;
}
