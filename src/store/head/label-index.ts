/**
 * From labels to series and back, written by the head's owner.
 *
 * A label set is a tuple of pair ids, four bytes a label. A pair knows its name, its value and the refs of the series that carry it. A
 * series that is taken out is first marked as gone, which readers go by, then its traces are removed from tables and lists; its ref, like
 * everything else that had a number, is given out again when no reader can still have it.
 */
import { CHUNK_STATE, LABEL_SET, META, OUT_OF_ORDER_BUFFER, PAIR, RECORD, RECORD_FLAG, ROOT } from '../../core/kernels/head-layout.ts';
import type { Labels } from '../../core/model/labels.ts';
import { entryAddress, type HeadMemory } from './head-memory.ts';
import { hashWords, NumberTable } from './number-table.ts';
import { PairTable, type RetiredPairs } from './pair-table.ts';
import { PostingsLists } from './postings-lists.ts';
import { SeriesExtras, type Piece } from './series-extra.ts';

const TWO_32 = 4294967296;

/** What was taken out at one time and may still be looked at. */
export interface RetiredIndex {
  readonly refs: readonly number[];
  readonly pairs: RetiredPairs;
  /** First blocks of postings that were written anew. */
  readonly chains: readonly number[];
  readonly pieces: readonly Piece[];
  /** Records of out-of-order samples. */
  readonly outOfOrder: readonly number[];
}

export class LabelIndex {
  readonly extras: SeriesExtras;
  readonly #memory: HeadMemory;
  readonly #pairs: PairTable;
  readonly #postings: PostingsLists;
  readonly #series = new NumberTable((ref) => this.#hashOf(ref));
  readonly #freeRefs: number[] = [];
  /** Pairs of the labels looked for last, as far as they were found. */
  #tuple = new Uint32Array(32);
  #tupleFound = 0;
  #blocks = new Uint32Array(32);

  constructor(memory: HeadMemory) {
    this.extras = new SeriesExtras(memory);
    this.#memory = memory;
    this.#pairs = new PairTable(memory);
    this.#postings = new PostingsLists(memory);
  }

  get seriesCount(): number {
    return this.#memory.get(ROOT.SERIES);
  }

  get pairCount(): number {
    return this.#pairs.count;
  }

  get highestRef(): number {
    return this.#memory.get(ROOT.HIGHEST_REF);
  }

  /** The ref of the series with these labels, 0 if there is none. */
  find(labels: Labels): number {
    const count = labels.length >>> 1;
    this.#reserveTuple(count);
    for (this.#tupleFound = 0; this.#tupleFound < count; this.#tupleFound++) {
      const pair = this.#pairs.find(labels[2 * this.#tupleFound]!, labels[2 * this.#tupleFound + 1]!);
      if (pair === 0) return 0;
      this.#tuple[this.#tupleFound] = pair;
    }
    const { slots } = this.#series;
    const mask = slots.length - 1;
    for (let slot = hashWords(this.#tuple, 0, count) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#hasTuple(slots[slot]!, count)) return slots[slot]!;
    }
    return 0;
  }

  /**
   * Adds a series for which `find` has just returned 0: it goes on from there. Where it fails, nothing is added.
   * @returns its ref @throws LabelNameLimitError, MemoryLimitError
   */
  add(labels: Labels, walRef: number): number {
    const memory = this.#memory;
    const count = labels.length >>> 1;
    for (let i = this.#tupleFound; i < count; i++) this.#tuple[i] = this.#pairs.make(labels[2 * i]!, labels[2 * i + 1]!);
    const ref = this.#nextRef();
    const record = this.record(ref);
    const labelSet = memory.arena.take(labelSetBytes(count));
    this.#takeBlocks(count, labelSet);
    const { u32 } = memory.linear;
    u32[(labelSet + LABEL_SET.EXTRA) >>> 2] = 0;
    u32[(labelSet + LABEL_SET.COUNT) >>> 2] = count;
    u32.set(this.#tuple.subarray(0, count), (labelSet + LABEL_SET.PAIRS) >>> 2);
    this.#openRecord(record, { labels: labelSet, walRef, flags: 0 });
    this.#series.insert(hashWords(this.#tuple, 0, count), ref);
    for (let i = 0; i < count; i++) this.#postings.append(this.#pairs.address(this.#tuple[i]!), ref, this.#blocks[i]!);
    this.#takeRef(ref);
    memory.publish(ROOT.SERIES, this.seriesCount + 1);
    return ref;
  }

  /** A record for the out-of-order samples of the series with this number. @returns its ref @throws MemoryLimitError */
  addOutOfOrderRecord(walRef: number): number {
    const { arena, linear } = this.#memory;
    const ref = this.#nextRef();
    const buffer = arena.take(OUT_OF_ORDER_BUFFER.BYTES);
    linear.u32[(buffer + OUT_OF_ORDER_BUFFER.COUNT) >>> 2] = 0;
    this.#openRecord(this.record(ref), { labels: buffer, walRef, flags: RECORD_FLAG.OUT_OF_ORDER });
    this.#takeRef(ref);
    return ref;
  }

  /** Adds a closed chunk that lies in a file, newer than the record's others or out of order. @throws MemoryLimitError */
  addFileChunk(ref: number, chunk: { minTimeMs: number; maxTimeMs: number; sampleCount: number; file: number; offset: number }): void {
    const memory = this.#memory;
    const meta = memory.takeMeta();
    const { u32, f64, u8, i32 } = memory.linear;
    const record = this.record(ref);
    u32[(meta + META.OLDER) >>> 2] = u32[(record + RECORD.CLOSED) >>> 2]!;
    u32[(meta + META.LOCATION) >>> 2] = chunk.file;
    u32[(meta + META.LENGTH) >>> 2] = chunk.offset;
    u8[meta + META.COUNT] = chunk.sampleCount & 0xff;
    u8[meta + META.COUNT + 1] = chunk.sampleCount >>> 8;
    u8[meta + META.STATE] = CHUNK_STATE.FILE;
    f64[(meta + META.MIN_TIME) >>> 3] = chunk.minTimeMs;
    f64[(meta + META.MAX_TIME) >>> 3] = chunk.maxTimeMs;
    u32[(meta + META.REF) >>> 2] = ref;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    u32[(record + RECORD.CLOSED) >>> 2] = meta;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    memory.set(ROOT.CHUNK_COUNT, memory.get(ROOT.CHUNK_COUNT) + 1);
  }

  isOutOfOrder(ref: number): boolean {
    return (this.#memory.linear.u8[this.record(ref) + RECORD.FLAGS]! & RECORD_FLAG.OUT_OF_ORDER) !== 0;
  }

  isGone(ref: number): boolean {
    return (this.#memory.linear.u8[this.record(ref) + RECORD.FLAGS]! & RECORD_FLAG.GONE) !== 0;
  }

  record(ref: number): number {
    return entryAddress(this.#memory.linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  }

  walRef(ref: number): number {
    return walRefAt(this.#memory.linear.u32, this.record(ref));
  }

  /** Marks series as gone: from now on they are not found, nothing is appended to them and readers pass over them. */
  markGone(refs: readonly number[]): void {
    const { u8, f64 } = this.#memory.linear;
    for (const ref of refs) {
      const record = this.record(ref);
      Atomics.or(u8, record + RECORD.FLAGS, RECORD_FLAG.GONE);
      f64[(record + RECORD.LAST_TIME) >>> 3] = Number.POSITIVE_INFINITY;
    }
    this.#memory.publish(ROOT.SERIES, this.seriesCount - refs.length);
  }

  /**
   * Removes the traces of series that are marked as gone. A step is about `stepSize` series or pairs; between steps series may be added.
   * @returns what `giveBack` takes when no reader that runs now runs any more
   */
  *removeGone(refs: readonly number[], stepSize: number): Generator<undefined, RetiredIndex> {
    const left = new Uint8Array(this.#pairs.highest + 1);
    for (const [i, ref] of refs.entries()) {
      this.#series.remove(ref);
      this.#leavePairs(ref, left);
      if (i % stepSize === stepSize - 1) yield;
    }
    const chains: number[] = [];
    const isGone = (ref: number): boolean => this.isGone(ref);
    const pairs = yield* this.#pairs.removeUnused(stepSize, (pair) => {
      if (left[pair] !== 1) return 0;
      const { unusedChain, refsSeen } = this.#postings.removeGone(this.#pairs.address(pair), isGone);
      if (unusedChain !== 0) chains.push(unusedChain);
      return refsSeen;
    });
    this.#memory.nextGeneration();
    return { refs, pairs, chains, pieces: this.extras.takeRetired(), outOfOrder: [] };
  }

  /** Records of out-of-order samples that no series has any more, as `removeGone` gives what it took out. */
  retireOutOfOrder(records: readonly number[]): RetiredIndex {
    for (const ref of records) Atomics.or(this.#memory.linear.u8, this.record(ref) + RECORD.FLAGS, RECORD_FLAG.GONE);
    return { refs: [], pairs: { pairs: [], symbols: [], names: [] }, chains: [], pieces: this.extras.takeRetired(), outOfOrder: records };
  }

  /** What was retired may be used again: no reader looks at it. */
  *giveBack({ refs, pairs, chains, pieces, outOfOrder }: RetiredIndex, stepSize: number): Generator<undefined, void> {
    const { arena, linear } = this.#memory;
    for (const [i, ref] of refs.entries()) {
      this.extras.giveBack(ref);
      const labelSet = linear.u32[(this.record(ref) + RECORD.LABELS) >>> 2]!;
      arena.give(labelSet, labelSetBytes(linear.u32[(labelSet + LABEL_SET.COUNT) >>> 2]!));
      this.#freeRefs.push(ref);
      if (i % stepSize === stepSize - 1) yield;
    }
    for (const [i, pair] of pairs.pairs.entries()) {
      const postings = linear.u32[(this.#pairs.address(pair) + PAIR.POSTINGS) >>> 2]!;
      if ((postings & 1) === 0) this.#postings.giveBack(postings);
      if (i % stepSize === stepSize - 1) yield;
    }
    for (const chain of chains) this.#postings.giveBack(chain);
    for (const { address, bytes } of pieces) arena.give(address, bytes);
    for (const ref of outOfOrder) {
      arena.give(linear.u32[(this.record(ref) + RECORD.LABELS) >>> 2]!, OUT_OF_ORDER_BUFFER.BYTES);
      this.#freeRefs.push(ref);
    }
    yield* this.#pairs.giveBack(pairs, stepSize);
  }

  /** @param left by pair: set where a series has left */
  #leavePairs(ref: number, left: Uint8Array): void {
    const { u32 } = this.#memory.linear;
    const labelSet = u32[(this.record(ref) + RECORD.LABELS) >>> 2]!;
    const from = (labelSet + LABEL_SET.PAIRS) >>> 2;
    const end = from + u32[(labelSet + LABEL_SET.COUNT) >>> 2]!;
    for (let i = from; i < end; i++) {
      Atomics.sub(u32, (this.#pairs.address(u32[i]!) + PAIR.COUNT) >>> 2, 1);
      left[u32[i]!] = 1;
    }
  }

  /** The number of the next record, which exists. @throws MemoryLimitError */
  #nextRef(): number {
    const ref = this.#freeRefs.at(-1) ?? this.highestRef + 1;
    this.#memory.makeEntry(ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    return ref;
  }

  /** The number that `#nextRef` gave is in use. */
  #takeRef(ref: number): void {
    if (ref > this.highestRef) this.#memory.publish(ROOT.HIGHEST_REF, ref);
    else this.#freeRefs.pop();
  }

  #reserveTuple(count: number): void {
    if (this.#tuple.length >= count) return;
    this.#tuple = new Uint32Array(count * 2);
    this.#blocks = new Uint32Array(count * 2);
  }

  /** Makes room for one more ref in the list of each pair of the tuple, or gives back what it was to be for. */
  #takeBlocks(count: number, labelSet: number): void {
    let taken = 0;
    try {
      for (; taken < count; taken++) this.#blocks[taken] = this.#postings.blockForNext(this.#pairs.address(this.#tuple[taken]!));
    } catch (error) {
      for (let i = 0; i < taken; i++) this.#postings.dropBlock(this.#blocks[i]!);
      this.#memory.arena.give(labelSet, labelSetBytes(count));
      throw error;
    }
  }

  /** A record without samples. It may have been another's, whose last readers are done. */
  #openRecord(record: number, { labels, walRef, flags }: { labels: number; walRef: number; flags: number }): void {
    const { u32, u8, f64, i32 } = this.#memory.linear;
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
    u32[(record + RECORD.LABELS) >>> 2] = labels;
    f64[(record + RECORD.LAST_TIME) >>> 3] = Number.NEGATIVE_INFINITY;
    u32[(record + RECORD.TRANSACTION) >>> 2] = this.#memory.get(ROOT.COMMITTED);
    u32[(record + RECORD.LAST_BLOCK) >>> 2] = 0;
    u32[(record + RECORD.CLOSED) >>> 2] = 0;
    u8[record + RECORD.COUNT] = 0;
    u32[(record + RECORD.WAL_REF) >>> 2] = walRef % TWO_32;
    const high = Math.floor(walRef / TWO_32);
    u8[record + RECORD.WAL_REF_HIGH] = high & 0xff;
    u8[record + RECORD.WAL_REF_HIGH + 1] = high >>> 8;
    Atomics.store(u8, record + RECORD.FLAGS, flags);
    Atomics.add(i32, (record + RECORD.VERSION) >>> 2, 1);
  }

  #hasTuple(ref: number, count: number): boolean {
    if (this.isGone(ref)) return false;
    const { u32 } = this.#memory.linear;
    const labelSet = u32[(this.record(ref) + RECORD.LABELS) >>> 2]!;
    if (u32[(labelSet + LABEL_SET.COUNT) >>> 2] !== count) return false;
    const from = (labelSet + LABEL_SET.PAIRS) >>> 2;
    for (let i = 0; i < count; i++) if (u32[from + i] !== this.#tuple[i]) return false;
    return true;
  }

  #hashOf(ref: number): number {
    const { u32 } = this.#memory.linear;
    const labelSet = u32[(this.record(ref) + RECORD.LABELS) >>> 2]!;
    return hashWords(u32, (labelSet + LABEL_SET.PAIRS) >>> 2, u32[(labelSet + LABEL_SET.COUNT) >>> 2]!);
  }
}

const labelSetBytes = (count: number): number => LABEL_SET.PAIRS + 4 * count;

/** The number by which the WAL knows the series of a record. */
export function walRefAt(u32: Uint32Array, record: number): number {
  // The high part is the upper half of its word.
  return (u32[(record + RECORD.WAL_REF_HIGH) >>> 2]! >>> 16) * TWO_32 + u32[(record + RECORD.WAL_REF) >>> 2]!;
}
