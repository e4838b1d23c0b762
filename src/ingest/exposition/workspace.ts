/**
 * What the scrape caches of one ingest worker share: the linear memory, its pool, the kernel, the parsers and the columns
 * that samples are parsed into.
 */
import { STATE, STATE_BYTES, type ExpositionKernel } from '../../core/kernels/exposition-kernel.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { MemoryPool } from '../../core/kernels/memory-pool.ts';
import type { SampleColumns } from '../../core/storage/appender.ts';
import { OpenMetricsParser } from './openmetrics-parser.ts';
import { StringTable } from './string-table.ts';
import { TextParser } from './text-parser.ts';

const FIRST_CAPACITY = 1024;
/** The state's words for the columns' addresses, with the bytes of an element. */
const COLUMNS = [
  [STATE.refs, 4],
  [STATE.times, 8],
  [STATE.values, 8],
] as const;

/** One a worker. */
export class ExpositionWorkspace {
  readonly memory: LinearMemory;
  /** Also for the callers' body buffers: `take(length + BODY_PADDING_BYTES)`, then `give` with the same size. */
  readonly pool: MemoryPool;
  readonly kernel: ExpositionKernel;
  readonly textParser: TextParser;
  readonly openMetricsParser: OpenMetricsParser;
  /** Address of the kernel's parse state; its columns are this workspace's. */
  readonly state: number;
  #capacity = 0;
  #vanished = 0;
  #vanishedBytes = 0;

  constructor(memory: LinearMemory, kernel: ExpositionKernel, pool: MemoryPool = new MemoryPool(memory)) {
    this.memory = memory;
    this.kernel = kernel;
    this.pool = pool;
    const strings = new StringTable();
    this.textParser = new TextParser(strings);
    this.openMetricsParser = new OpenMetricsParser(strings);
    this.state = pool.take(STATE_BYTES);
    this.#resizeColumns(FIRST_CAPACITY, 0);
  }

  stateWord(word: number): number {
    return this.memory.u32[(this.state >>> 2) + word]!;
  }

  setStateWord(word: number, value: number): void {
    this.memory.u32[(this.state >>> 2) + word] = value;
  }

  /** Makes room for one more sample. */
  reserveSample(): void {
    const count = this.stateWord(STATE.count);
    if (count === this.#capacity) this.#resizeColumns(2 * this.#capacity, count);
  }

  /** Address for `count` refs, until the next call. */
  vanishedRefs(count: number): number {
    if (count * 4 > this.#vanishedBytes) {
      if (this.#vanishedBytes > 0) this.pool.give(this.#vanished, this.#vanishedBytes);
      this.#vanishedBytes = 0;
      this.#vanished = this.pool.take(count * 4);
      this.#vanishedBytes = count * 4;
    }
    return this.#vanished;
  }

  /** Views over the first `count` samples. */
  columns(count: number): SampleColumns {
    const { u32, f64 } = this.memory;
    const refs = this.stateWord(STATE.refs) >>> 2;
    const times = this.stateWord(STATE.times) >>> 3;
    const values = this.stateWord(STATE.values) >>> 3;
    return {
      refs: u32.subarray(refs, refs + count),
      times: f64.subarray(times, times + count),
      values: f64.subarray(values, values + count),
      count,
    };
  }

  #resizeColumns(capacity: number, count: number): void {
    const addresses = this.pool.takeAll(COLUMNS.map(([, width]) => capacity * width));
    for (const [i, [word, width]] of COLUMNS.entries()) {
      if (this.#capacity > 0) {
        const old = this.stateWord(word);
        this.memory.u8.copyWithin(addresses[i]!, old, old + count * width);
        this.pool.give(old, this.#capacity * width);
      }
      this.setStateWord(word, addresses[i]!);
    }
    this.#capacity = capacity;
    this.setStateWord(STATE.capacity, capacity);
  }
}
