/**
 * Deleting samples of the head: intervals are logged, then readers leave them out. The samples themselves go with their chunks.
 */
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { META, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import { joined } from '../../core/model/intervals.ts';
import type { Matcher } from '../../core/model/matcher.ts';
import { encodeTombstones, type Tombstone } from '../wal/wal-records.ts';
import type { HeadMemory } from './head-memory.ts';
import { LabelIndexReader } from './label-index-reader.ts';
import type { LabelIndex } from './label-index.ts';
import { deletedIntervals, outOfOrderRecord, type Piece } from './series-extra.ts';

/** Tombstones in one record. */
const RECORD_TOMBSTONES = 10_000;

/** Samples in [startMs, endMs] of series that pass all matchers of any one set. */
export interface DeleteRequest {
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startMs: number;
  readonly endMs: number;
}

export interface DeletionParts {
  readonly memory: HeadMemory;
  readonly index: LabelIndex;
  /** Hands whole records to the log. */
  readonly log: (records: readonly Uint8Array[]) => void;
}

/**
 * All of it or, where the log or memory fails, nothing.
 * @returns how many series had samples in the range @throws RegexError, MemoryLimitError and what the log throws
 */
export function deleteFromHead(parts: DeletionParts, request: DeleteRequest): number {
  const { memory, index } = parts;
  const added: Tombstone[] = [];
  const made: { ref: number; tombstones: Piece }[] = [];
  try {
    for (const ref of selectAny(parts, request.matcherSets)) {
      const range = touchedRange(parts, ref, request);
      if (range === null) continue;
      index.extras.open(ref);
      made.push({ ref, tombstones: index.extras.makeTombstones(joined([...deletedIntervals(memory.linear, ref), ...range])) });
      added.push({ walRef: index.walRef(ref), minTimeMs: range[0], maxTimeMs: range[1] });
    }
    if (added.length > 0) parts.log(recordsOf(added));
  } catch (error) {
    for (const { tombstones } of made) index.extras.dropTombstones(tombstones);
    throw error;
  }
  for (const { ref, tombstones } of made) index.extras.setTombstones(ref, tombstones);
  return made.length;
}

/** An interval that the log tells. */
export function restoreTombstone({ memory, index }: Pick<DeletionParts, 'memory' | 'index'>, ref: number, { minTimeMs, maxTimeMs }: Tombstone): void {
  // Whoever deleted "everything" may have written the least and the greatest 64 bits hold.
  const firstMs = Math.max(minTimeMs, Number.MIN_SAFE_INTEGER);
  const lastMs = Math.min(maxTimeMs, Number.MAX_SAFE_INTEGER);
  if (firstMs > lastMs) return;
  index.extras.open(ref);
  index.extras.setTombstones(ref, index.extras.makeTombstones(joined([...deletedIntervals(memory.linear, ref), firstMs, lastMs])));
}

function selectAny({ memory }: DeletionParts, matcherSets: DeleteRequest['matcherSets']): Set<number> {
  const reader = new LabelIndexReader(memory.linear);
  reader.sync();
  const refs = new Set<number>();
  for (const matchers of matcherSets) for (const ref of reader.select(matchers)) refs.add(ref);
  return refs;
}

/** The part of the range from the series' first sample to its last, null where no chunk has any. */
function touchedRange({ memory, index }: DeletionParts, ref: number, { startMs, endMs }: DeleteRequest): [number, number] | null {
  const { u32, f64, u8 } = memory.linear;
  const record = index.record(ref);
  const hasOpen = u8[record + RECORD.COUNT] !== 0;
  let oldestMs = hasOpen ? f64[(record + RECORD.FIRST_TIME) >>> 3]! : Number.POSITIVE_INFINITY;
  const newestMs = f64[(record + RECORD.LAST_TIME) >>> 3]!;
  let isTouched = hasOpen && oldestMs <= endMs && newestMs >= startMs;
  for (let meta = u32[(record + RECORD.CLOSED) >>> 2]!; meta !== 0; meta = u32[(meta + META.OLDER) >>> 2]!) {
    oldestMs = f64[(meta + META.MIN_TIME) >>> 3]!;
    isTouched ||= oldestMs <= endMs && f64[(meta + META.MAX_TIME) >>> 3]! >= startMs;
  }
  if (index.isGone(ref)) return null;
  let lastMs = newestMs;
  if (outOfOrderRecord(memory.linear, ref) !== 0) {
    // Of all series, which is enough.
    const minTimeMs = memory.time(ROOT.OUT_OF_ORDER_MIN_TIME);
    const maxTimeMs = memory.time(ROOT.OUT_OF_ORDER_MAX_TIME);
    isTouched ||= minTimeMs <= endMs && maxTimeMs >= startMs;
    oldestMs = Math.min(oldestMs, minTimeMs);
    lastMs = Math.max(lastMs, maxTimeMs);
  }
  return isTouched ? [Math.max(startMs, oldestMs), Math.min(endMs, lastMs)] : null;
}

function recordsOf(tombstones: readonly Tombstone[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let i = 0; i < tombstones.length; i += RECORD_TOMBSTONES) {
    const out = new BinaryWriter();
    encodeTombstones(tombstones.slice(i, i + RECORD_TOMBSTONES), out);
    records.push(out.written.slice());
  }
  return records;
}
