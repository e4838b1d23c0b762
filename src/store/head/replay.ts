/**
 * Fills an empty head from disk: chunks from head chunk files, everything else from the WAL.
 *
 * Chunk files name series by WAL ref, and labels stand in the WAL, so chunks wait until their series turns up there. Samples that a
 * chunk already has are dropped by the append kernel, since they are not newer than the series' last time.
 */
import { errorMessage } from '../../core/base/errors.ts';
import { repairWal } from '../wal/repair.ts';
import { readWal, type WalFault } from '../wal/wal-reader.ts';
import { decodeSeries, RECORD_TYPE, SampleRecord } from '../wal/wal-records.ts';
import type { Head } from './head.ts';
import { scanHeadChunks, type HeadChunkFault, type ScannedChunk } from './head-chunk-files.ts';

export interface ReplayReport {
  readonly seriesCount: number;
  readonly sampleCount: number;
  readonly chunkCount: number;
  /** Samples whose series no record tells. */
  readonly unknownRefSamples: number;
  /** Records of types that the head does not hold yet, by type. */
  readonly skippedRecords: ReadonlyMap<number, number>;
  readonly walFault: WalFault | null;
  readonly chunkFault: HeadChunkFault | null;
  /** Files beside the log that hold what was cut. */
  readonly setAside: readonly string[];
}

export interface ReplayOptions {
  readonly dataFolder: string;
  readonly walFolder: string;
  readonly progress?: (done: number, total: number) => void;
}

/** Refs below this are looked up in an array, others in a map. */
const DENSE_REFS = 64 * 1024 * 1024;

/** WAL ref → head ref. */
class RefTable {
  #dense = new Uint32Array(1024);
  readonly #sparse = new Map<number, number>();

  get(walRef: number): number {
    return walRef < this.#dense.length ? this.#dense[walRef]! : (this.#sparse.get(walRef) ?? 0);
  }

  set(walRef: number, ref: number): void {
    if (walRef >= DENSE_REFS) {
      this.#sparse.set(walRef, ref);
      return;
    }
    if (walRef >= this.#dense.length) {
      const larger = new Uint32Array(Math.max(walRef + 1, this.#dense.length * 2));
      larger.set(this.#dense);
      this.#dense = larger;
    }
    this.#dense[walRef] = ref;
  }
}

/** @throws what the disk throws; damage to the files is repaired and reported instead */
export function replayHead(head: Head, options: ReplayOptions): ReplayReport {
  const chunks = new Map<number, ScannedChunk[]>();
  const skipped = new Map<number, number>();
  const chunkFault = scanHeadChunks(options.dataFolder, (chunk) => {
    // Chunks that the head does not hold yet are rebuilt from the WAL, or lost to it as a type it counts.
    if (chunk.encoding !== 1 || chunk.isOutOfOrder) return;
    const list = chunks.get(chunk.walRef);
    if (list) list.push(chunk);
    else chunks.set(chunk.walRef, [chunk]);
  });
  const refs = new RefTable();
  const samples = new SampleRecord();
  let headRefs = new Uint32Array(4096);
  let sampleCount = 0;
  let chunkCount = 0;
  let unknownRefSamples = 0;

  const addSeries = (walRef: number, labels: readonly string[]): void => {
    const { ref } = head.restoreSeries(labels, walRef);
    refs.set(walRef, ref);
    const waiting = chunks.get(walRef);
    if (waiting === undefined) return;
    chunks.delete(walRef);
    for (const chunk of waiting.sort((a, b) => a.minTimeMs - b.minTimeMs)) if (head.restoreChunk(ref, chunk)) chunkCount++;
  };
  const addSamples = (record: Uint8Array): void => {
    samples.decode(record);
    if (headRefs.length < samples.count) headRefs = new Uint32Array(samples.count * 2);
    let kept = 0;
    const { walRefs, times, values } = samples;
    for (let i = 0; i < samples.count; i++) {
      const ref = refs.get(walRefs[i]!);
      if (ref === 0) {
        unknownRefSamples++;
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

  const walFaults = readWal(options.walFolder, {
    record: (record) => {
      const type = record[0] ?? 0;
      if (type === RECORD_TYPE.SERIES) decodeSeries(record, addSeries);
      else if (type === RECORD_TYPE.SAMPLES) addSamples(record);
      else skipped.set(type, (skipped.get(type) ?? 0) + 1);
    },
    ...(options.progress ? { progress: options.progress } : {}),
  });
  const setAside = walFaults.flatMap(repairWal);
  return { seriesCount: head.seriesCount, sampleCount, chunkCount, unknownRefSamples, skippedRecords: skipped, walFault: walFaults[0] ?? null, chunkFault, setAside };
}

/** A fault for the log. */
export function describeFault(fault: WalFault | HeadChunkFault): string {
  return 'segment' in fault ? `segment ${fault.segment} offset ${fault.offset}: ${fault.what}` : `${fault.file} offset ${fault.offset}: ${errorMessage(fault.what)}`;
}
