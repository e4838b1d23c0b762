/**
 * For the tests of this folder: workspaces with the kernel or its twin, bodies in linear memory, and a resolver that numbers
 * series.
 */
import { readFileSync } from 'node:fs';
import { createExpositionKernel } from '../../core/kernels/exposition-kernel.ts';
import { createExpositionTwin } from '../../core/kernels/exposition-twin.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import { LinearMemory, MAX_MEMORY_PAGES } from '../../core/kernels/linear-memory.ts';
import type { Labels } from '../../core/model/labels.ts';
import {
  BODY_PADDING_BYTES,
  type ExpositionFormat,
  type ParsedScrape,
  type ParseOptions,
  ScrapeCache,
  type SeriesResolver,
} from './scrape-cache.ts';
import { ExpositionWorkspace } from './workspace.ts';

export const IMPLEMENTATIONS = ['kernel', 'twin'] as const;
export type Implementation = (typeof IMPLEMENTATIONS)[number];

const wasm = new URL('../../../build/kernels/exposition.wasm', import.meta.url);

export function newWorkspace(implementation: Implementation, maximumPages = MAX_MEMORY_PAGES): ExpositionWorkspace {
  const memory = LinearMemory.create(KERNEL_RESERVED_BYTES, maximumPages);
  const seed = 4711;
  const kernel =
    implementation === 'kernel'
      ? createExpositionKernel(new WebAssembly.Module(readFileSync(wasm)), memory, seed)
      : createExpositionTwin(memory, seed);
  return new ExpositionWorkspace(memory, kernel);
}

export const DEFAULT_OPTIONS: ParseOptions = {
  timeMs: 1000,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  sampleLimit: 0,
};

/** Gives each label set a number from 1 on; label sets that `drops` holds for get 0. */
export class NumberingResolver implements SeriesResolver {
  readonly refs = new Map<string, number>();
  readonly drops: (labels: Labels) => boolean;
  calls = 0;

  constructor(drops: (labels: Labels) => boolean = () => false) {
    this.drops = drops;
  }

  resolve(labels: Labels): number {
    this.calls++;
    if (this.drops(labels)) return 0;
    const key = JSON.stringify(labels);
    const known = this.refs.get(key);
    if (known !== undefined) return known;
    this.refs.set(key, this.refs.size + 1);
    return this.refs.size;
  }

  labelsOf(ref: number): string {
    for (const [key, known] of this.refs) if (known === ref) return key;
    return '';
  }
}

/** One target: its cache, and bodies given as text. */
export class Target {
  readonly cache: ScrapeCache;
  readonly workspace: ExpositionWorkspace;
  readonly resolver: NumberingResolver;

  constructor(workspace: ExpositionWorkspace, resolver = new NumberingResolver(), maxLines?: number) {
    this.workspace = workspace;
    this.cache = new ScrapeCache(workspace, maxLines);
    this.resolver = resolver;
  }

  scrape(body: string | Uint8Array, format: ExpositionFormat = 'text', options: Partial<ParseOptions> = {}): ParsedScrape {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const { pool, memory } = this.workspace;
    const size = bytes.length + BODY_PADDING_BYTES;
    const address = pool.take(size);
    // What lies behind the body is not ours: digits would be read as part of the last value.
    memory.u8.fill(0x37, address, address + size);
    memory.u8.set(bytes, address);
    try {
      return this.cache.parse({ address, length: bytes.length }, format, { ...DEFAULT_OPTIONS, ...options }, this.resolver);
    } finally {
      pool.give(address, size);
    }
  }

  /** `labels value[@time]` for each sample, in order. */
  samples(parsed: ParsedScrape): string[] {
    const { refs, times, values, count } = parsed.columns;
    return Array.from({ length: count }, (_, i) => {
      const time = times[i] === DEFAULT_OPTIONS.timeMs ? '' : `@${times[i]!}`;
      return `${this.resolver.labelsOf(refs[i]!)} ${Object.is(values[i], -0) ? '-0' : values[i]!}${time}`;
    });
  }
}

/** Deterministic numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
