/**
 * Series in order of their labels, as a reader thread puts them in order while the owner goes on.
 *
 * No strings are made for it: symbols are ranked by their bytes, label pairs by the ranks of name and value, series by the ranks of their
 * pairs. So it takes a few words for a series, pair or symbol.
 */
import { LABEL_SET, PAIR, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import type { Labels } from '../../core/model/labels.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { symbolAddress, symbolText } from './head-symbols.ts';
import { multikeySort } from './multikey-sort.ts';

/** Strings that are kept decoded while series are given out; neighbours share most of theirs. */
const MAX_KEPT_STRINGS = 16_384;

export class SortedSeries {
  readonly #linear: LinearMemory;
  readonly #refs: Uint32Array;
  /** Those that the series use, sorted by their bytes. */
  readonly #symbols: Uint32Array;
  readonly #strings = new Map<number, string>();

  /** @param refs are sorted in place */
  constructor(linear: LinearMemory, refs: Uint32Array) {
    this.#linear = linear;
    this.#refs = refs;
    this.#symbols = sortSeries(linear, refs);
  }

  get refs(): Uint32Array {
    return this.#refs;
  }

  /** Every name and value of the series, sorted in byte order. */
  *symbols(): Iterable<string> {
    for (const symbol of this.#symbols) yield symbolText(this.#linear, symbol);
  }

  labels(ref: number): Labels {
    const { u32 } = this.#linear;
    const at = labelSetAddress(this.#linear, ref);
    const count = u32[(at + LABEL_SET.COUNT) >>> 2]!;
    const labels: string[] = Array.from({ length: count * 2 });
    for (let i = 0; i < count; i++) {
      const pair = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, u32[((at + LABEL_SET.PAIRS) >>> 2) + i]!, PAIR.BYTES);
      labels[2 * i] = this.#string(u32[(pair + PAIR.NAME) >>> 2]!);
      labels[2 * i + 1] = this.#string(u32[(pair + PAIR.VALUE) >>> 2]!);
    }
    return labels;
  }

  #string(symbol: number): string {
    const known = this.#strings.get(symbol);
    if (known !== undefined) return known;
    if (this.#strings.size === MAX_KEPT_STRINGS) this.#strings.clear();
    const text = symbolText(this.#linear, symbol);
    this.#strings.set(symbol, text);
    return text;
  }
}

function labelSetAddress(linear: LinearMemory, ref: number): number {
  return linear.u32[(entryAddress(linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES) + RECORD.LABELS) >>> 2]!;
}

/** Sorts series by their labels. @returns the symbols that occur in them, sorted by their bytes */
function sortSeries(linear: LinearMemory, refs: Uint32Array): Uint32Array {
  const { u32, u8 } = linear;
  const pairs = usedPairs(linear, refs);
  const symbols = usedSymbols(linear, pairs);
  multikeySort(symbols, (symbol, depth) => {
    const address = symbolAddress(linear, symbol);
    return depth < u32[address >>> 2]! ? u8[address + 4 + depth]! + 1 : 0;
  });
  const symbolRanks = ranksOf(symbols);
  multikeySort(pairs, (pair, depth) => {
    if (depth > 1) return 0;
    return symbolRanks[u32[(entryAddress(linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) + (depth === 0 ? PAIR.NAME : PAIR.VALUE)) >>> 2]!]!;
  });
  const pairRanks = ranksOf(pairs);
  multikeySort(refs, (ref, depth) => {
    const at = labelSetAddress(linear, ref);
    return depth < u32[(at + LABEL_SET.COUNT) >>> 2]! ? pairRanks[u32[((at + LABEL_SET.PAIRS) >>> 2) + depth]!]! : 0;
  });
  return symbols;
}

function usedPairs(linear: LinearMemory, refs: Uint32Array): Uint32Array {
  const { u32 } = linear;
  const used = new Uint8Array(u32[(HEAD_ROOT + ROOT.PAIRS) >>> 2]! + 1);
  for (const ref of refs) {
    const at = labelSetAddress(linear, ref);
    const from = (at + LABEL_SET.PAIRS) >>> 2;
    const end = from + u32[(at + LABEL_SET.COUNT) >>> 2]!;
    for (let i = from; i < end; i++) used[u32[i]!] = 1;
  }
  return marked(used);
}

function usedSymbols(linear: LinearMemory, pairs: Uint32Array): Uint32Array {
  const { u32 } = linear;
  const used = new Uint8Array(u32[(HEAD_ROOT + ROOT.SYMBOLS) >>> 2]! + 1);
  for (const pair of pairs) {
    const at = entryAddress(linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES);
    used[u32[(at + PAIR.NAME) >>> 2]!] = 1;
    used[u32[(at + PAIR.VALUE) >>> 2]!] = 1;
  }
  return marked(used);
}

/** Indexes of the entries that are set. */
function marked(used: Uint8Array): Uint32Array {
  let count = 0;
  for (const each of used) count += each;
  const indexes = new Uint32Array(count);
  for (let i = 0, kept = 0; i < used.length; i++) if (used[i] === 1) indexes[kept++] = i;
  return indexes;
}

/** By id: its place in the order, from 1. */
function ranksOf(sorted: Uint32Array): Uint32Array {
  const ranks = new Uint32Array(sorted.reduce((most, id) => Math.max(most, id), 0) + 1);
  for (const [i, id] of sorted.entries()) ranks[id] = i + 1;
  return ranks;
}
