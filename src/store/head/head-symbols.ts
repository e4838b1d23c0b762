/**
 * The strings of the head, read from linear memory by their symbol ids.
 */
import { ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { entryAddress } from './head-memory.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where a symbol's length stands; its bytes follow 4 bytes behind. */
export function symbolAddress(linear: LinearMemory, symbol: number): number {
  return linear.u32[entryAddress(linear, ROOT.SYMBOL_DIRECTORY, symbol, 4) >>> 2]!;
}

export function symbolText(linear: LinearMemory, symbol: number): string {
  const address = symbolAddress(linear, symbol);
  const length = linear.u32[address >>> 2]!;
  // A decoder refuses shared memory, so the bytes are copied.
  return decoder.decode(linear.u8.slice(address + 4, address + 4 + length));
}
