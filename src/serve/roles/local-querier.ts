/**
 * One node's samples as one querier: the head and the blocks, in a query worker.
 *
 * The worker is told which blocks there are between its queries. A block is opened by the first query whose time range it overlaps; most
 * queries ask for the last hours and never touch the others.
 */
import type { Labels } from '../../core/model/labels.ts';
import type { LabelRequest, Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { MergeQuerier } from '../../query/select/merge-querier.ts';
import { BlockQuerier } from '../../store/block/block-querier.ts';
import { Block } from '../../store/block/block.ts';
import { OpenFiles } from '../../store/index/byte-source.ts';
import { SymbolCache } from '../../store/index/symbol-cache.ts';

/** A block as the threads tell each other of it. */
export interface BlockPlace {
  readonly ulid: string;
  readonly folder: string;
  readonly minTimeMs: number;
  /** No longer in the block. */
  readonly maxTimeMs: number;
}

export interface BlockChange {
  /** New ones, and those whose small files were replaced. */
  readonly opened: readonly BlockPlace[];
  readonly removed: readonly string[];
}

interface LocalBlock extends BlockPlace {
  open: { readonly block: Block; readonly querier: BlockQuerier } | null;
}

export class LocalQuerier implements Querier {
  readonly #head: Querier;
  readonly #blocks = new Map<string, LocalBlock>();
  readonly #files = new OpenFiles();
  readonly #symbols = new SymbolCache();

  constructor(head: Querier) {
    this.#head = head;
  }

  /** To be called while no query runs. */
  change({ opened, removed }: BlockChange): void {
    for (const ulid of [...removed, ...opened.map((place) => place.ulid)]) {
      this.#blocks.get(ulid)?.open?.block.close();
      this.#blocks.delete(ulid);
    }
    for (const place of opened) this.#blocks.set(place.ulid, { ...place, open: null });
  }

  select(request: SelectRequest): Promise<SeriesSet> {
    return this.#over(request).select(request);
  }

  labelNames(request: LabelRequest): Promise<string[]> {
    return this.#over(request).labelNames(request);
  }

  labelValues(name: string, request: LabelRequest): Promise<string[]> {
    return this.#over(request).labelValues(name, request);
  }

  series(request: LabelRequest): Promise<Labels[]> {
    return this.#over(request).series(request);
  }

  /** @throws CorruptError, FileReadError where a block can't be opened */
  #over({ startMs, endMs }: LabelRequest): Querier {
    const queriers: Querier[] = [this.#head];
    for (const block of this.#blocks.values()) {
      if (block.minTimeMs > endMs || startMs >= block.maxTimeMs) continue;
      block.open ??= this.#open(block);
      queriers.push(block.open.querier);
    }
    return queriers.length === 1 ? this.#head : new MergeQuerier(queriers);
  }

  #open({ folder }: BlockPlace): NonNullable<LocalBlock['open']> {
    const block = Block.open(folder, { files: this.#files, symbols: this.#symbols });
    return { block, querier: new BlockQuerier(block) };
  }
}
