/**
 * Fills an empty head from disk: chunks from head chunk files, everything else from the WAL, then what came out of order from its log.
 *
 * Chunk files name series by WAL ref, and labels stand in the WAL, so chunks wait until their series turns up there. Samples that a
 * chunk already has are dropped by the append kernel, since they are not newer than the series' last time.
 */
import { join } from 'node:path';
import { errorMessage } from '../../core/base/errors.ts';
import { repairWal } from '../wal/repair.ts';
import { readWal, type WalFault } from '../wal/wal-reader.ts';
import { lastCheckpoint, listSegments } from '../wal/wal-format.ts';
import { decodeMmapMarkers, decodeSeries, decodeTombstones, RECORD_TYPE, SampleRecord, type MmapMarker, type Tombstone } from '../wal/wal-records.ts';
import { ENCODING } from '../../core/chunk/chunk.ts';
import type { Head } from './head.ts';
import { OUT_OF_ORDER_LOG_FOLDER } from './out-of-order.ts';
import { scanHeadChunks, type HeadChunkFault } from './head-chunk-scan.ts';
import { WaitingChunks } from './waiting-chunks.ts';
import { WalRefTable } from './wal-ref-table.ts';

export interface ReplayReport {
  readonly seriesCount: number;
  readonly sampleCount: number;
  readonly chunkCount: number;
  /** Of the log of out-of-order samples. */
  readonly outOfOrderCount: number;
  /** Samples whose series no record tells, without those that are older than is taken: their series may be gone. */
  readonly unknownRefSamples: number;
  /** Records of types that the head does not hold yet, by type. */
  readonly skippedRecords: ReadonlyMap<number, number>;
  readonly walFault: WalFault | null;
  readonly chunkFault: HeadChunkFault | null;
  /** By head chunk file: the newest time in it. For the writer, which continues. */
  readonly chunkFileTimes: ReadonlyMap<number, number>;
  /** Files beside the log that hold what was cut. */
  readonly setAside: readonly string[];
}

export interface ReplayOptions {
  readonly dataFolder: string;
  readonly walFolder: string;
  /** The end of the newest block: what is older need not be in the head. */
  readonly minValidTimeMs?: number;
  /** Whether damage is cut from the files, as it is where nothing is said; tools only look. */
  readonly repairs?: boolean;
  readonly progress?: (done: number, total: number) => void;
}

/** @throws what the disk throws; damage to the files is repaired, if so asked, and reported instead */
export function replayHead(head: Head, options: ReplayOptions): ReplayReport {
  const minValidMs = options.minValidTimeMs ?? Number.NEGATIVE_INFINITY;
  const repairs = options.repairs ?? true;
  head.setMinValidTime(minValidMs);
  const chunks = new WaitingChunks();
  const outOfOrderChunks = new WaitingChunks();
  const chunkFileTimes = new Map<number, number>();
  const skipped = new Map<number, number>();
  const chunkFault = scanHeadChunks(options.dataFolder, (chunk) => {
    chunkFileTimes.set(chunk.file, Math.max(chunkFileTimes.get(chunk.file) ?? Number.NEGATIVE_INFINITY, chunk.maxTimeMs));
    // Chunks that the head does not hold yet are rebuilt from the WAL, or lost to it as a type it counts.
    if (chunk.encoding !== ENCODING.XOR) return;
    if (chunk.isOutOfOrder) outOfOrderChunks.add(chunk);
    else if (chunk.maxTimeMs >= minValidMs) chunks.add(chunk);
  }, repairs);
  const refs = new WalRefTable();
  const otherRefs: number[] = [];
  const outOfOrderPlaces = new Set<number>();
  let outOfOrderCount = 0;
  const samples = new SampleRecord();
  let headRefs = new Uint32Array(4096);
  let sampleCount = 0;
  let chunkCount = 0;
  let unknownRefSamples = 0;

  const addSeries = (walRef: number, labels: readonly string[]): void => {
    const { ref, isOwn } = head.restoreSeries(labels, walRef);
    if (!isOwn && refs.get(walRef) === 0) otherRefs.push(walRef);
    refs.set(walRef, ref);
    for (const chunk of chunks.take(walRef)) if (head.restoreChunk(ref, chunk)) chunkCount++;
    for (const chunk of outOfOrderChunks.takeInOrderOfWriting(walRef)) {
      head.outOfOrder.restoreChunk(ref, chunk);
      outOfOrderPlaces.add(placeKey(chunk));
      chunkCount++;
    }
  };
  const addSamples = (record: Uint8Array): void => {
    samples.decode(record);
    if (headRefs.length < samples.count) headRefs = new Uint32Array(samples.count * 2);
    let kept = 0;
    const { walRefs, times, values } = samples;
    for (let i = 0; i < samples.count; i++) {
      const ref = refs.get(walRefs[i]!);
      if (ref === 0) {
        if (times[i]! >= minValidMs) unknownRefSamples++;
        head.raiseWalRef(walRefs[i]!);
        continue;
      }
      headRefs[kept] = ref;
      if (kept !== i) {
        times.copyWithin(kept, i, i + 1);
        values.copyWithin(kept, i, i + 1);
      }
      kept++;
    }
    sampleCount += head.appendReplayed({ refs: headRefs, times, values, count: kept }).appended;
  };

  const addTombstone = (tombstone: Tombstone): void => {
    const ref = refs.get(tombstone.walRef);
    if (ref !== 0) head.restoreTombstone(ref, tombstone);
  };

  const addOutOfOrder = (record: Uint8Array): void => {
    samples.decode(record);
    const { walRefs, times, valueBits } = samples;
    for (let i = 0; i < samples.count; i++) {
      const ref = refs.get(walRefs[i]!);
      if (ref === 0) unknownRefSamples += times[i]! >= minValidMs ? 1 : 0;
      else head.outOfOrder.restore(ref, times[i]!, valueBits[2 * i]!, valueBits[2 * i + 1]!);
    }
    outOfOrderCount += samples.count;
  };
  const addMarker = (marker: MmapMarker): void => {
    const ref = refs.get(marker.walRef);
    // Where the chunk was lost, the samples of the log are all there is.
    if (ref !== 0 && outOfOrderPlaces.has(placeKey(marker))) head.outOfOrder.restoreMarked(ref);
  };

  const walFaults = readWal(options.walFolder, {
    record: (record) => {
      const type = record[0] ?? 0;
      if (type === RECORD_TYPE.SERIES) decodeSeries(record, addSeries);
      else if (type === RECORD_TYPE.SAMPLES) addSamples(record);
      else if (type === RECORD_TYPE.TOMBSTONES) decodeTombstones(record, addTombstone);
      else skipped.set(type, (skipped.get(type) ?? 0) + 1);
    },
    ...(options.progress ? { progress: options.progress } : {}),
  });
  walFaults.push(
    ...readWal(join(options.dataFolder, OUT_OF_ORDER_LOG_FOLDER), {
      record: (record) => {
        const type = record[0] ?? 0;
        if (type === RECORD_TYPE.SAMPLES) addOutOfOrder(record);
        else if (type === RECORD_TYPE.MMAP_MARKERS) decodeMmapMarkers(record, addMarker);
        else skipped.set(type, (skipped.get(type) ?? 0) + 1);
      },
    }),
  );
  const setAside = [...(repairs ? walFaults.flatMap(repairWal) : []), ...(chunkFault?.setAside ?? [])];
  head.keepWalRefs(otherRefs, listSegments(options.walFolder).at(-1) ?? lastCheckpoint(options.walFolder)?.index ?? 0);
  return {
    seriesCount: head.seriesCount,
    sampleCount,
    chunkCount,
    outOfOrderCount,
    unknownRefSamples,
    skippedRecords: skipped,
    walFault: walFaults[0] ?? null,
    chunkFault,
    chunkFileTimes,
    setAside,
  };
}

/** One number for a place in the head chunk files. */
const placeKey = ({ file, offset }: { readonly file: number; readonly offset: number }): number => file * 2 ** 32 + offset;

/** A fault for the log. */
export function describeFault(fault: WalFault | HeadChunkFault): string {
  return 'segment' in fault ? `segment ${fault.segment} offset ${fault.offset}: ${fault.what}` : `${fault.file} offset ${fault.offset}: ${errorMessage(fault.what)}`;
}
