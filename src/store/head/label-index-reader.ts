/**
 * The label index as another thread reads it while its owner adds to it and takes from it.
 *
 * Counts and links lead only to what is complete. Values of a name are remembered once asked for; later calls only look at the pairs
 * added since. What is remembered is by number, and numbers are given out again: it holds for one generation. Answers that are still in
 * use then go on with what they began with, since nothing they can name is used again before they are done.
 */
import { LABEL_SET, NAME, PAIR, POSTINGS, RECORD, ROOT } from '../../core/kernels/head-layout.ts';
import type { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { compileMatcher, type CompiledMatcher, type Matcher } from '../../core/model/matcher.ts';
import type { Labels } from '../../core/model/labels.ts';
import { entryAddress, HEAD_ROOT } from './head-memory.ts';
import { symbolText } from './head-symbols.ts';
import { isSeries } from './visibility.ts';

/** No postings block is longer. */
const MAX_BLOCK_BYTES = 4096;

/** The values of one label name, as far as they have been read. */
interface NameValues {
  readonly nameAddress: number;
  /** The newest pair that is already in the map. */
  newestPair: number;
  readonly pairByValue: Map<string, number>;
}

/** What is known of one generation. */
interface Known {
  readonly generation: number;
  /** By symbol id. */
  readonly strings: string[];
  readonly names: Map<string, NameValues>;
  namesRead: number;
}

/** A matcher with its pairs: what each pair of the name says, asked once. */
interface PairTest {
  readonly matcher: CompiledMatcher;
  readonly verdicts: Map<number, boolean>;
}

export class LabelIndexReader {
  readonly #linear: LinearMemory;
  #known: Known = { generation: -1, strings: [], names: new Map(), namesRead: 0 };

  constructor(linear: LinearMemory) {
    this.#linear = linear;
  }

  /** Takes note of what the owner has done since. To be called before the first look of each request. */
  sync(): void {
    this.#linear.refresh();
    const generation = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.GENERATION) >>> 2);
    if (generation !== this.#known.generation) this.#known = { generation, strings: [], names: new Map(), namesRead: 0 };
  }

  /** Labels of the series that were selected since the last `sync`, for as long as their request runs. */
  labelsReader(): (ref: number) => Labels {
    const known = this.#known;
    return (ref) => this.#labels(ref, known);
  }

  labels(ref: number): Labels {
    return this.#labels(ref, this.#known);
  }

  #labels(ref: number, known: Known): Labels {
    const { u32 } = this.#linear;
    const at = this.#labelSet(ref);
    const count = u32[(at + LABEL_SET.COUNT) >>> 2]!;
    const pairs = (at + LABEL_SET.PAIRS) >>> 2;
    const labels: string[] = Array.from({ length: count * 2 });
    for (let i = 0; i < count; i++) {
      const pair = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, u32[pairs + i]!, PAIR.BYTES) >>> 2;
      labels[2 * i] = this.#string(u32[pair]!, known);
      labels[2 * i + 1] = this.#string(u32[pair + 1]!, known);
    }
    return labels;
  }

  labelNames(): string[] {
    this.#readNames();
    return [...this.#known.names.keys()];
  }

  /** Every value of `name` that some series has. */
  labelValues(name: string): string[] {
    const values: string[] = [];
    for (const [value, pair] of this.#values(name)?.pairByValue ?? []) if (this.#pairCount(pair) > 0) values.push(value);
    return values;
  }

  /** How many series carry the pair. */
  seriesOfPair(name: string, value: string): number {
    const pair = this.#values(name)?.pairByValue.get(value);
    return pair === undefined ? 0 : this.#pairCount(pair);
  }

  /**
   * Refs of the series whose labels pass all matchers, in no particular order; some of them may be gone.
   * @throws RegexError
   */
  select(matchers: readonly Matcher[]): Uint32Array {
    const compiled = matchers.map((matcher) => compileMatcher(matcher));
    const candidates = this.#candidates(compiled);
    // What the refs lead to may lie where the memory has grown since.
    this.#linear.refresh();
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
  #candidates(matchers: readonly CompiledMatcher[]): { refs: Uint32Array; by: CompiledMatcher | null } {
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
      if (pattern === undefined) return { refs: this.#all(), by: null };
      const pairs: number[] = [];
      for (const [value, pair] of this.#values(pattern.name)?.pairByValue ?? []) if (pattern.matches(value)) pairs.push(pair);
      best = { pairs, by: pattern, size: 0 };
    }
    return { refs: this.#union(best.pairs), by: best.by };
  }

  /** Every series that is not gone. */
  #all(): Uint32Array {
    const highest = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.HIGHEST_REF) >>> 2);
    this.#linear.refresh();
    const refs = new Uint32Array(highest);
    let count = 0;
    for (let ref = 1; ref <= highest; ref++) {
      if (isSeries(this.#linear, ref)) refs[count++] = ref;
    }
    return refs.subarray(0, count);
  }

  /** The lists of pairs of one name are disjoint, so their union is their concatenation. */
  #union(pairs: readonly number[]): Uint32Array {
    let refs = new Uint32Array(pairs.reduce((sum, pair) => sum + this.#pairCount(pair), 0));
    let count = 0;
    const reserve = (more: number): void => {
      if (count + more <= refs.length) return;
      const larger = new Uint32Array(Math.max(count + more, refs.length * 2));
      larger.set(refs.subarray(0, count));
      refs = larger;
    };
    for (const pair of pairs) {
      const postingsAt = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) + PAIR.POSTINGS;
      const word = Atomics.load(this.#linear.u32, postingsAt >>> 2);
      if ((word & 1) === 1) {
        reserve(1);
        refs[count++] = word >>> 1;
        continue;
      }
      for (let block = word; block !== 0; block = Atomics.load(this.#linear.u32, (block + POSTINGS.NEXT) >>> 2)) {
        if (block + MAX_BLOCK_BYTES > this.#linear.byteLength) this.#linear.refresh();
        const { u32 } = this.#linear;
        const used = Atomics.load(u32, (block + POSTINGS.USED) >>> 2);
        const from = (block + POSTINGS.REFS) >>> 2;
        reserve(used);
        for (let i = from; i < from + used; i++) {
          // Looked at once: a ref may become a hole at any time.
          const ref = Atomics.load(u32, i);
          if (ref !== 0) refs[count++] = ref;
        }
      }
    }
    return refs.subarray(0, count);
  }

  #filter(refs: Uint32Array, required: readonly number[], tests: readonly PairTest[]): Uint32Array {
    const { u32 } = this.#linear;
    const nameSymbols = tests.map(({ matcher }) => this.#symbolOfName(matcher.name));
    const kept = new Uint32Array(refs.length);
    let count = 0;
    for (const ref of refs) {
      const labelSet = this.#labelSet(ref);
      const from = (labelSet + LABEL_SET.PAIRS) >>> 2;
      const end = from + u32[(labelSet + LABEL_SET.COUNT) >>> 2]!;
      if (required.every((pair) => includes(u32, from, end, pair)) && this.#passes(from, end, tests, nameSymbols)) kept[count++] = ref;
    }
    return kept.subarray(0, count);
  }

  #passes(from: number, end: number, tests: readonly PairTest[], nameSymbols: readonly number[]): boolean {
    const { u32 } = this.#linear;
    for (let t = 0; t < tests.length; t++) {
      const { matcher, verdicts } = tests[t]!;
      const name = nameSymbols[t]!;
      let passed = matcher.matchesEmpty;
      if (name === 0) {
        if (!passed) return false;
        continue;
      }
      for (let i = from; i < end; i++) {
        const pair = u32[i]!;
        const pairAt = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) >>> 2;
        if (u32[pairAt] !== name) continue;
        let verdict = verdicts.get(pair);
        if (verdict === undefined) {
          verdict = matcher.matches(this.#string(u32[pairAt + 1]!, this.#known));
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

  #labelSet(ref: number): number {
    return this.#linear.u32[(this.#record(ref) + RECORD.LABELS) >>> 2]!;
  }

  #readNames(): void {
    const known = this.#known;
    const count = Atomics.load(this.#linear.i32, (HEAD_ROOT + ROOT.NAME_COUNT) >>> 2);
    this.#linear.refresh();
    const table = this.#linear.u32[(HEAD_ROOT + ROOT.NAMES) >>> 2]!;
    for (; known.namesRead < count; known.namesRead++) {
      const nameAddress = table + known.namesRead * NAME.BYTES;
      const symbol = Atomics.load(this.#linear.u32, (nameAddress + NAME.SYMBOL) >>> 2);
      if (symbol !== 0) known.names.set(this.#string(symbol, known), { nameAddress, newestPair: 0, pairByValue: new Map() });
    }
  }

  #values(name: string): NameValues | undefined {
    const { names } = this.#known;
    let values = names.get(name);
    if (values === undefined) {
      this.#readNames();
      values = names.get(name);
      if (values === undefined) return undefined;
    }
    const newest = Atomics.load(this.#linear.u32, (values.nameAddress + NAME.FIRST_PAIR) >>> 2);
    if (newest === values.newestPair) return values;
    this.#linear.refresh();
    const { u32 } = this.#linear;
    const added: number[] = [];
    for (let pair = newest; pair !== values.newestPair && pair !== 0; ) {
      added.push(pair);
      pair = u32[(entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES) + PAIR.NEXT_OF_NAME) >>> 2]!;
    }
    // A pair that is being taken out may still stand behind the one that took its place.
    for (const pair of added.reverse()) {
      const at = entryAddress(this.#linear, ROOT.PAIR_DIRECTORY, pair, PAIR.BYTES);
      values.pairByValue.set(this.#string(u32[(at + PAIR.VALUE) >>> 2]!, this.#known), pair);
    }
    values.newestPair = newest;
    return values;
  }

  #string(symbol: number, known: Known): string {
    const text = known.strings[symbol];
    if (text !== undefined) return text;
    return (known.strings[symbol] = symbolText(this.#linear, symbol));
  }
}

function includes(words: Uint32Array, from: number, end: number, word: number): boolean {
  for (let i = from; i < end; i++) if (words[i] === word) return true;
  return false;
}
