/**
 * Where the slots of many rows lie, so that rows that are mostly empty cost little.
 *
 * Over a long range with churn, most groups have values at few of the steps. A row is cut into blocks of steps, and a block
 * gets slots when something is first put into it.
 */

/** Steps of a block. */
const BLOCK_STEPS = 128;

export class SlotBlocks {
  readonly stepCount: number;
  /** Steps of each block but the last of a row. */
  readonly blockSteps: number;
  readonly blocksPerRow: number;
  /** Slots given out. */
  slotCount = 0;
  /** First slot by row and block, −1 for none. */
  readonly #bases: Int32Array;

  constructor(rowCount: number, stepCount: number) {
    this.stepCount = stepCount;
    this.blockSteps = Math.max(1, Math.min(BLOCK_STEPS, stepCount));
    this.blocksPerRow = Math.ceil(stepCount / this.blockSteps);
    this.#bases = new Int32Array(rowCount * this.blocksPerRow).fill(-1);
  }

  /** How many steps a block has. */
  length(block: number): number {
    return Math.min(this.blockSteps, this.stepCount - block * this.blockSteps);
  }

  /** The first slot of a block; −1 if nothing was put into it. */
  base(row: number, block: number): number {
    return this.#bases[row * this.blocksPerRow + block]!;
  }

  /** Gives slots to a block that has none. @returns its first slot */
  claim(row: number, block: number): number {
    const base = this.slotCount;
    this.#bases[row * this.blocksPerRow + block] = base;
    this.slotCount += this.blockSteps;
    return base;
  }
}
