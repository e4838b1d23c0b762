/**
 * The label index as another thread reads it while its owner adds to it.
 *
 * Counts bound what is looked at, so that everything seen is complete. Values of a name are remembered once asked for; later
 * calls only look at the pairs added since.
 */
import { NAME, PAIR, POSTINGS, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { compileMatcher, type CompiledMatcher, type Matcher } from '../../core/model/matcher.ts';
import type { Labels } from '../../core/model/labels.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { symbolText } from './head-symbols.ts';

/** The values of one label name, as far as they have been read. */
interface NameValues {
  readonly nameAddress: number;
  /** The newest pair that is already in the map. */
  newestPair: number;
  readonly pairByValue: Map<string, number>;
}

/** A matcher with its pairs: what each pair of the name says, asked once. */
interface PairTest {
  readonly matcher: CompiledMatcher;
  readonly verdicts: Map<number, boolean>;
}

export class LabelIndexReader {
  readonly #linear: LinearMemory;
  /** By symbol id. */
  readonly #strings: string[] = [];
  /** By name. */
  readonly #names = new Map<string, NameValues>();
  #namesRead = 0;

  constructor(linear: LinearMemory) {
    this.#linear = linear;
  }

  /** Series published so far. Everything below is about these, so call it first. */
  seriesCount(): number {
    this.#linear.refresh();
    const count = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.SERIES) >>> 2);
    this.#linear.refresh();
    return count;
  }

  labels(ref: number): Labels {
    const { u32 } = this.#linear;
    const at = u32[(this.#record(ref) + RECORD.LABELS) >>> 2]! >>> 2;
    const count = u32[at]!;
    const labels: string[] = Array.from({ length: count * 2 });
    for (let i = 0; i < count; i++) {
      const pair = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, u32[at + 1 + i]!, PAIR.BYTES) >>> 2;
      labels[2 * i] = this.#string(u32[pair]!);
      labels[2 * i + 1] = this.#string(u32[pair + 1]!);
    }
    return labels;
  }

  labelNames(): string[] {
    this.#readNames();
    return [...this.#names.keys()];
  }

  /** Every value that `name` has had. */
  labelValues(name: string): IterableIterator<string> {
    return this.#values(name)?.pairByValue.keys() ?? [].values();
  }

  /** How many series carry the pair. */
  seriesOfPair(name: string, value: string): number {
    const pair = this.#values(name)?.pairByValue.get(value);
    return pair === undefined ? 0 : this.#pairCount(pair);
  }

  /**
   * Refs up to `seriesCount` whose labels pass all matchers, ascending within one pair's list.
   * @throws RegexError
   */
  select(matchers: readonly Matcher[], seriesCount: number): Uint32Array {
    const compiled = matchers.map((matcher) => compileMatcher(matcher));
    const candidates = this.#candidates(compiled, seriesCount);
    const rest = compiled.filter((matcher) => matcher !== candidates.by);
    if (rest.length === 0) return candidates.refs;
    const required: number[] = [];
    const tests: PairTest[] = [];
    for (const matcher of rest) {
      if (matcher.op === '=' && matcher.value !== '') {
        const pair = this.#values(matcher.name)?.pairByValue.get(matcher.value);
        if (pair === undefined) return new Uint32Array(0);
        required.push(pair);
      } else tests.push({ matcher, verdicts: new Map() });
    }
    return this.#filter(candidates.refs, required, tests);
  }

  /** The shortest list that some matcher confines the answer to, else all series. */
  #candidates(matchers: readonly CompiledMatcher[], seriesCount: number): { refs: Uint32Array; by: CompiledMatcher | null } {
    let best: { pairs: number[]; by: CompiledMatcher; size: number } | null = null;
    for (const matcher of matchers) {
      if (matcher.matchesEmpty) continue;
      // A negative matcher or a pattern is worth evaluating over all values only where nothing names values outright.
      if (matcher.literals === null) continue;
      const values = this.#values(matcher.name);
      const pairs: number[] = [];
      for (const literal of matcher.literals) {
        const pair = values?.pairByValue.get(literal);
        if (pair !== undefined) pairs.push(pair);
      }
      const size = pairs.reduce((sum, pair) => sum + this.#pairCount(pair), 0);
      if (best === null || size < best.size) best = { pairs, by: matcher, size };
    }
    if (best === null) {
      const pattern = matchers.find((matcher) => !matcher.matchesEmpty && matcher.op === '=~') ?? matchers.find((matcher) => !matcher.matchesEmpty);
      if (pattern === undefined) return { refs: Uint32Array.from({ length: seriesCount }, (_, i) => i + 1), by: null };
      const pairs: number[] = [];
      for (const [value, pair] of this.#values(pattern.name)?.pairByValue ?? []) if (pattern.matches(value)) pairs.push(pair);
      best = { pairs, by: pattern, size: 0 };
    }
    return { refs: this.#union(best.pairs, seriesCount), by: best.by };
  }

  /** The lists of pairs of one name are disjoint, so their union is their concatenation. */
  #union(pairs: readonly number[], seriesCount: number): Uint32Array {
    const total = pairs.reduce((sum, pair) => sum + this.#pairCount(pair), 0);
    const refs = new Uint32Array(total);
    let written = 0;
    const { u32 } = this.#linear;
    for (const pair of pairs) {
      const at = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) >>> 2;
      let left = this.#pairCount(pair);
      if (left === 0) continue;
      if (written + left > total) left = total - written; // The list grew since it was measured.
      const first = u32[at + (PAIR.FIRST_REF >>> 2)]!;
      if (left > 0 && first <= seriesCount) refs[written++] = first;
      left--;
      for (let block = u32[at + (PAIR.FIRST_BLOCK >>> 2)]!; left > 0; block = u32[block >>> 2]!) {
        const n = Math.min(left, u32[(block + POSTINGS.CAPACITY) >>> 2]!);
        const from = (block + POSTINGS.REFS) >>> 2;
        for (let i = 0; i < n; i++) if (u32[from + i]! <= seriesCount) refs[written++] = u32[from + i]!;
        left -= n;
      }
    }
    return refs.subarray(0, written);
  }

  #filter(refs: Uint32Array, required: readonly number[], tests: readonly PairTest[]): Uint32Array {
    const { u32 } = this.#linear;
    const nameSymbols = tests.map(({ matcher }) => this.#symbolOfName(matcher.name));
    const kept = new Uint32Array(refs.length);
    let count = 0;
    for (const ref of refs) {
      const at = u32[(this.#record(ref) + RECORD.LABELS) >>> 2]! >>> 2;
      const end = at + 1 + u32[at]!;
      if (required.every((pair) => includes(u32, at + 1, end, pair)) && this.#passes(at, end, tests, nameSymbols)) kept[count++] = ref;
    }
    return kept.subarray(0, count);
  }

  #passes(at: number, end: number, tests: readonly PairTest[], nameSymbols: readonly number[]): boolean {
    const { u32 } = this.#linear;
    for (let t = 0; t < tests.length; t++) {
      const { matcher, verdicts } = tests[t]!;
      const name = nameSymbols[t]!;
      let passed = matcher.matchesEmpty;
      if (name === 0) {
        if (!passed) return false;
        continue;
      }
      for (let i = at + 1; i < end; i++) {
        const pair = u32[i]!;
        const pairAt = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) >>> 2;
        if (u32[pairAt] !== name) continue;
        let verdict = verdicts.get(pair);
        if (verdict === undefined) {
          verdict = matcher.matches(this.#string(u32[pairAt + 1]!));
          verdicts.set(pair, verdict);
        }
        passed = verdict;
        break;
      }
      if (!passed) return false;
    }
    return true;
  }

  #record(ref: number): number {
    return entryAddress(this.#linear, ROOT.RECORD_DIRECTORY, ref, RECORD.BYTES);
  }

  #pairCount(pair: number): number {
    return Atomics.load(this.#linear.i32, (entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) + PAIR.COUNT) >>> 2);
  }

  #symbolOfName(name: string): number {
    const values = this.#values(name);
    return values === undefined ? 0 : this.#linear.u32[(values.nameAddress + NAME.SYMBOL) >>> 2]!;
  }

  #readNames(): void {
    this.#linear.refresh();
    const count = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.NAME_COUNT) >>> 2);
    const table = this.#linear.u32[(HEAD_ROOT + ROOT.NAMES) >>> 2]!;
    for (; this.#namesRead < count; this.#namesRead++) {
      const nameAddress = table + this.#namesRead * NAME.BYTES;
      const name = this.#string(this.#linear.u32[(nameAddress + NAME.SYMBOL) >>> 2]!);
      this.#names.set(name, { nameAddress, newestPair: 0, pairByValue: new Map() });
    }
  }

  #values(name: string): NameValues | undefined {
    let values = this.#names.get(name);
    if (values === undefined) {
      this.#readNames();
      values = this.#names.get(name);
      if (values === undefined) return undefined;
    }
    const newest = Atomics.load(this.#linear.i32, (values.nameAddress + NAME.FIRST_PAIR) >>> 2);
    if (newest === values.newestPair) return values;
    this.#linear.refresh();
    const { u32 } = this.#linear;
    for (let pair = newest; pair !== values.newestPair; ) {
      const at = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) >>> 2;
      values.pairByValue.set(this.#string(u32[at + (PAIR.VALUE >>> 2)]!), pair);
      pair = u32[at + (PAIR.NEXT_OF_NAME >>> 2)]!;
    }
    values.newestPair = newest;
    return values;
  }

  #string(symbol: number): string {
    const known = this.#strings[symbol];
    if (known !== undefined) return known;
    const text = symbolText(this.#linear, symbol);
    this.#strings[symbol] = text;
    return text;
  }
}

function includes(words: Uint32Array, from: number, end: number, word: number): boolean {
  for (let i = from; i < end; i++) if (words[i] === word) return true;
  return false;
}
