/**
 * One WebAssembly memory as a place to lay out records by hand: typed views, and slabs that are never moved.
 *
 * The memory may be shared between threads; one thread allocates and writes, others read. Growing keeps old views valid
 * but short, so views are taken through this object, which renews them.
 */
import { assert } from '../base/assert.ts';

const PAGE_BYTES = 65_536;
/** WebAssembly's 32-bit limit. */
export const MAX_MEMORY_PAGES = 65_536;

/** Byte address of the word that holds the next free address, so that readers and a second attach agree. */
const NEXT_FREE_ADDRESS = 8;

/** No room is left under the memory's maximum. Nothing was changed. */
export class MemoryLimitError extends Error {
  override readonly name = 'MemoryLimitError';
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  #buffer: ArrayBufferLike;
  #u8: Uint8Array;
  #u32: Uint32Array;
  #i32: Int32Array;
  #f64: Float64Array;
  /** Every buffer that this memory has had: views over an older one still address the same bytes. */
  readonly #buffers = new WeakSet<ArrayBufferLike>();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.#buffer = memory.buffer;
    this.#u8 = new Uint8Array(this.#buffer);
    this.#u32 = new Uint32Array(this.#buffer);
    this.#i32 = new Int32Array(this.#buffer);
    this.#f64 = new Float64Array(this.#buffer);
    this.#buffers.add(this.#buffer);
  }

  /** A new memory whose allocations begin at `reservedBytes`, behind the kernels' own static data. */
  static create(reservedBytes: number, maximumPages = MAX_MEMORY_PAGES): LinearMemory {
    const initial = Math.ceil(reservedBytes / PAGE_BYTES) + 1;
    const linear = new LinearMemory(new WebAssembly.Memory({ initial, maximum: maximumPages, shared: true }));
    linear.u32[NEXT_FREE_ADDRESS >>> 2] = reservedBytes;
    return linear;
  }

  /** Takes the views anew if the memory has grown, here or in another thread: they then cover all that has been handed out. */
  refresh(): void {
    if (this.memory.buffer !== this.#buffer) this.#takeViews();
    // Another thread's growth reaches `buffer` a moment after the memory can be used.
    while (Atomics.load(this.#i32, NEXT_FREE_ADDRESS >>> 2) >>> 0 > this.#buffer.byteLength) this.#takeViews();
  }

  #takeViews(): void {
    this.#buffer = this.memory.buffer;
    this.#u8 = new Uint8Array(this.#buffer);
    this.#u32 = new Uint32Array(this.#buffer);
    this.#i32 = new Int32Array(this.#buffer);
    this.#f64 = new Float64Array(this.#buffer);
    this.#buffers.add(this.#buffer);
  }

  /** Whether a view over `buffer` is a view over this memory. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.#buffers.has(buffer);
  }

  get u8(): Uint8Array {
    return this.#u8;
  }
  /** Index = byte address >>> 2. */
  get u32(): Uint32Array {
    return this.#u32;
  }
  get i32(): Int32Array {
    return this.#i32;
  }
  /** Index = byte address / 8 (an address past 2 GiB makes `>> 3` negative: use `>>> 3`). */
  get f64(): Float64Array {
    return this.#f64;
  }
  get byteLength(): number {
    return this.#buffer.byteLength;
  }
  /** Bytes handed out so far, reserved part included. */
  get usedBytes(): number {
    return this.u32[NEXT_FREE_ADDRESS >>> 2]!;
  }

  /**
   * Hands out `bytes` of zeroed memory aligned to 64, for good: there is no free. Only the owning thread may call this.
   * @throws MemoryLimitError
   */
  allocate(bytes: number): number {
    assert(bytes > 0 && Number.isSafeInteger(bytes), 'an allocation has a size');
    const at = this.u32[NEXT_FREE_ADDRESS >>> 2]!;
    const next = at + Math.ceil(bytes / 64) * 64;
    if (next > this.byteLength) {
      // A sixteenth ahead, so that growth is rare and little is left over.
      const want = Math.ceil((next - this.byteLength) / PAGE_BYTES);
      const ahead = Math.min(Math.floor(this.byteLength / PAGE_BYTES / 16), MAX_MEMORY_PAGES - this.byteLength / PAGE_BYTES - want);
      this.#grow(want + Math.max(0, ahead), want);
    }
    this.u32[NEXT_FREE_ADDRESS >>> 2] = next;
    return at;
  }

  #grow(pages: number, least: number): void {
    try {
      this.memory.grow(pages);
    } catch {
      try {
        this.memory.grow(least);
      } catch (error) {
        throw new MemoryLimitError(`out of memory: ${this.byteLength} bytes are in use and the limit is reached`, { cause: error });
      }
    }
    this.refresh();
  }
}
