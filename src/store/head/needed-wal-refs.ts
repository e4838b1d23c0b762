/**
 * Which series records a checkpoint keeps, as a reader thread finds it out, so that writing the checkpoint costs the owner nothing.
 *
 * Series that the owner adds meanwhile are logged behind the segments of the checkpoint. Of those that it removes the record is kept once
 * more, which does no harm.
 */
import { RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { walRefAt } from './label-index.ts';
import { isSeries } from './visibility.ts';

/** @param others numbers that are needed beside those of the series that live: `Head.checkpointNeeds` */
export function neededWalRefs(linear: LinearMemory, others: Float64Array): (walRef: number) => boolean {
  const highest = Atomics.load(linear.i32, (HEAD_ROOT + ROOT.HIGHEST_REF) >>> 2);
  linear.refresh();
  const { u32 } = linear;
  const needed = new Float64Array(highest + others.length);
  let count = 0;
  for (let ref = 1; ref <= highest; ref++) {
    const record = entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
    if (isSeries(linear, ref)) needed[count++] = walRefAt(u32, record);
  }
  needed.set(others, count);
  const sorted = needed.subarray(0, count + others.length).sort();
  return (walRef) => {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (sorted[middle]! < walRef) from = middle + 1;
      else to = middle;
    }
    return sorted[from] === walRef;
  };
}
