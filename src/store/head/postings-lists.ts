/**
 * The series of each label pair, as the head's owner adds to and takes from them.
 *
 * A single ref stands in the pair itself; more stand in a chain of blocks, each half as large again as the one before, so that n refs take
 * about log n blocks and little room is left over. A ref is taken out by writing 0 over it, which readers pass over. A list that is more holes than refs is
 * written anew, and readers that still go through the old blocks keep them until they are done.
 */
import { PAIR, POSTINGS } from '../../core/kernels/head-layout.ts';
import { MemoryLimitError } from '../../core/kernels/linear-memory.ts';
import type { HeadMemory } from './head-memory.ts';

/** Blocks are 32 bytes to 4 KiB, header included. */
const FIRST_CAPACITY = 5;
const MAX_CAPACITY = 1021;

const blockBytes = (capacity: number): number => POSTINGS.REFS + 4 * capacity;
/** Of the block that follows one of `capacity`: odd, so that a block is a multiple of eight bytes. */
const nextCapacity = (capacity: number): number => Math.min((capacity + (capacity >>> 1)) | 1, MAX_CAPACITY);

export interface RemovedRefs {
  /** The first block of a chain that the pair no longer uses and readers may, or 0. */
  readonly unusedChain: number;
  /** How much work it was. */
  readonly refsSeen: number;
}

export class PostingsLists {
  readonly #memory: HeadMemory;
  /** Refs of the list that is being written anew. */
  #kept = new Uint32Array(1024);

  constructor(memory: HeadMemory) {
    this.#memory = memory;
  }

  /** A block for the next ref of a pair, 0 where it needs none. @throws MemoryLimitError */
  blockForNext(pairAddress: number): number {
    const { u32 } = this.#memory.linear;
    const word = u32[(pairAddress + PAIR.POSTINGS) >>> 2]!;
    if (word === 0) return 0;
    if ((word & 1) === 1) return this.#newBlock(FIRST_CAPACITY);
    const last = u32[(pairAddress + PAIR.LAST_BLOCK) >>> 2]!;
    const capacity = u32[(last + POSTINGS.CAPACITY) >>> 2]!;
    return u32[(last + POSTINGS.USED) >>> 2]! < capacity ? 0 : this.#newBlock(nextCapacity(capacity));
  }

  /** A block that `blockForNext` gave is not needed after all. */
  dropBlock(block: number): void {
    if (block !== 0) this.#memory.arena.give(block, blockBytes(this.#memory.linear.u32[(block + POSTINGS.CAPACITY) >>> 2]!));
  }

  /** Adds a ref. @param block what `blockForNext` gave for it */
  append(pairAddress: number, ref: number, block: number): void {
    const memory = this.#memory;
    const { u32 } = memory.linear;
    const word = u32[(pairAddress + PAIR.POSTINGS) >>> 2]!;
    if (word === 0) memory.publishAt(pairAddress + PAIR.POSTINGS, 2 * ref + 1);
    else if ((word & 1) === 1) {
      this.#put(block, word >>> 1);
      this.#put(block, ref);
      u32[(pairAddress + PAIR.LAST_BLOCK) >>> 2] = block;
      memory.publishAt(pairAddress + PAIR.POSTINGS, block);
    } else {
      const last = u32[(pairAddress + PAIR.LAST_BLOCK) >>> 2]!;
      if (block === 0) this.#put(last, ref);
      else {
        this.#put(block, ref);
        u32[(pairAddress + PAIR.LAST_BLOCK) >>> 2] = block;
        memory.publishAt(last + POSTINGS.NEXT, block);
      }
    }
    memory.publishAt(pairAddress + PAIR.COUNT, u32[(pairAddress + PAIR.COUNT) >>> 2]! + 1);
  }

  /** Takes refs out of a pair's list. */
  removeGone(pairAddress: number, isGone: (ref: number) => boolean): RemovedRefs {
    const memory = this.#memory;
    const { u32 } = memory.linear;
    const word = u32[(pairAddress + PAIR.POSTINGS) >>> 2]!;
    if (word === 0) return { unusedChain: 0, refsSeen: 0 };
    if ((word & 1) === 1) {
      if (isGone(word >>> 1)) memory.publishAt(pairAddress + PAIR.POSTINGS, 0);
      return { unusedChain: 0, refsSeen: 1 };
    }
    let slots = 0;
    let kept = 0;
    for (let block = word; block !== 0; block = u32[block >>> 2]!) {
      const used = u32[(block + POSTINGS.USED) >>> 2]!;
      const from = (block + POSTINGS.REFS) >>> 2;
      slots += used;
      if (this.#kept.length < kept + used) this.#kept = larger(this.#kept, kept + used);
      for (let i = from; i < from + used; i++) if (u32[i] !== 0 && !isGone(u32[i]!)) this.#kept[kept++] = u32[i]!;
    }
    if (kept === slots) return { unusedChain: 0, refsSeen: slots };
    if (slots > 2 * kept && this.#rewrite(pairAddress, kept)) return { unusedChain: word, refsSeen: slots };
    this.#makeHoles(word, isGone);
    return { unusedChain: 0, refsSeen: 2 * slots };
  }

  /** Gives a chain of blocks back that nobody looks at any more. */
  giveBack(firstBlock: number): void {
    const { u32 } = this.#memory.linear;
    for (let block = firstBlock; block !== 0; ) {
      const next = u32[block >>> 2]!;
      this.dropBlock(block);
      block = next;
    }
  }

  #makeHoles(firstBlock: number, isGone: (ref: number) => boolean): void {
    const { u32 } = this.#memory.linear;
    for (let block = firstBlock; block !== 0; block = u32[block >>> 2]!) {
      const from = (block + POSTINGS.REFS) >>> 2;
      const end = from + u32[(block + POSTINGS.USED) >>> 2]!;
      for (let i = from; i < end; i++) if (u32[i] !== 0 && isGone(u32[i]!)) u32[i] = 0;
    }
  }

  /** Puts the first `count` kept refs in the place of a pair's list. @returns false where memory does not suffice: holes do then */
  #rewrite(pairAddress: number, count: number): boolean {
    const memory = this.#memory;
    let first = count === 1 ? 2 * this.#kept[0]! + 1 : 0;
    let last = 0;
    for (let i = count === 1 ? 1 : 0; i < count; ) {
      const block = this.#blockOrNone(capacityFor(count - i));
      if (block === 0) {
        this.giveBack(first);
        return false;
      }
      const capacity = memory.linear.u32[(block + POSTINGS.CAPACITY) >>> 2]!;
      for (const end = Math.min(count, i + capacity); i < end; i++) this.#put(block, this.#kept[i]!);
      if (first === 0) first = block;
      else memory.publishAt(last + POSTINGS.NEXT, block);
      last = block;
    }
    memory.linear.u32[(pairAddress + PAIR.LAST_BLOCK) >>> 2] = last;
    memory.publishAt(pairAddress + PAIR.POSTINGS, first);
    return true;
  }

  #blockOrNone(capacity: number): number {
    try {
      return this.#newBlock(capacity);
    } catch (error) {
      if (error instanceof MemoryLimitError) return 0;
      throw error;
    }
  }

  #newBlock(capacity: number): number {
    const block = this.#memory.arena.take(blockBytes(capacity));
    const { u32 } = this.#memory.linear;
    u32[(block + POSTINGS.NEXT) >>> 2] = 0;
    u32[(block + POSTINGS.CAPACITY) >>> 2] = capacity;
    u32[(block + POSTINGS.USED) >>> 2] = 0;
    return block;
  }

  /** There is room. */
  #put(block: number, ref: number): void {
    const { u32 } = this.#memory.linear;
    const used = u32[(block + POSTINGS.USED) >>> 2]!;
    u32[((block + POSTINGS.REFS) >>> 2) + used] = ref;
    this.#memory.publishAt(block + POSTINGS.USED, used + 1);
  }
}

/** The smallest block for `count` refs, or the largest there is. */
function capacityFor(count: number): number {
  let capacity = FIRST_CAPACITY;
  while (capacity < count && capacity < MAX_CAPACITY) capacity = nextCapacity(capacity);
  return capacity;
}

function larger(from: Uint32Array, least: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(Math.max(least, from.length * 2));
  to.set(from);
  return to;
}
