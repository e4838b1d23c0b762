/**
 * Reads the WAL from its checkpoint to its end.
 *
 * A segment is read up to its first fault: what comes behind can't be told from garbage. Behind a fault in the WAL itself nothing is
 * read, since later records rest on earlier ones; a fault in the checkpoint costs the rest of the checkpoint only. `repairWal` cuts
 * the log at what was found.
 */
import { join } from 'node:path';
import { SegmentReader, type SegmentFault } from './segment-reader.ts';
import { lastCheckpoint, listSegments, segmentName } from './wal-format.ts';

/** A fault and the segment that has it. */
export interface WalFault extends SegmentFault {
  /** The folder of the segment: the WAL itself or a checkpoint. */
  readonly folder: string;
  readonly segment: number;
  /** The log ends inside its last record, as it does when the writer dies: nothing was there that anybody was told of. */
  readonly isTornTail: boolean;
}

export interface WalVisitor {
  /** `record` is valid during the call. A BytesError thrown here is a fault of the record; all else is thrown on. */
  record(record: Uint8Array): void;
  /** Before each segment and at the end. */
  progress?(doneSegments: number, totalSegments: number): void;
}

/** @returns what ended the reading of the checkpoint and of the WAL, none where both are whole */
export function readWal(folder: string, visitor: WalVisitor): WalFault[] {
  const checkpoint = lastCheckpoint(folder);
  const checkpointFolder = checkpoint === null ? folder : join(folder, checkpoint.name);
  const checkpointSegments = checkpoint === null ? [] : listSegments(checkpointFolder);
  const segments = listSegments(folder).filter((segment) => checkpoint === null || segment > checkpoint.index);
  const total = checkpointSegments.length + segments.length;
  const reader = new SegmentReader();
  const faults: WalFault[] = [];
  let done = 0;
  for (const [place, list] of [[checkpointFolder, checkpointSegments], [folder, segments]] as const) {
    const last = list.at(-1);
    for (const [i, segment] of list.entries()) {
      visitor.progress?.(done + i, total);
      const missing = i > 0 && segment !== list[i - 1]! + 1 ? segmentName(list[i - 1]! + 1) : null;
      const fault: SegmentFault | null =
        missing === null
          ? reader.read(place, segment, (record) => visitor.record(record))
          : { offset: 0, what: `segment ${missing} is missing`, isCutOff: false };
      if (fault === null) continue;
      faults.push({ folder: place, segment, isTornTail: fault.isCutOff && place === folder && segment === last, ...fault });
      break;
    }
    done += list.length;
  }
  visitor.progress?.(total, total);
  return faults;
}
