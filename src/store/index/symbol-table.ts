/**
 * The symbols of an index: every label name and value, by number. In memory is where every 8th begins, and in a cache
 * what was asked for last.
 */
import { CorruptError } from '../../core/base/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { ByteWindow } from './byte-window.ts';
import { CRC_BYTES, MAX_SYMBOL_BYTES, SYMBOL_STEP, type IndexLayout } from './index-format.ts';
import { SectionScanner } from './section-scanner.ts';
import type { SymbolCache } from './symbol-cache.ts';

const MAX_LENGTH_BYTES = 5;

/** Where symbols stand: made once, and the same memory serves all threads. */
export interface SymbolPlaces {
  readonly count: number;
  /** Of symbols 0, 8, 16 …, in bytes behind the section's start. Empty for version 1. */
  readonly offsets: Uint32Array;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads all symbols once and checks them. @throws CorruptError */
export function scanSymbols(source: ByteSource, layout: IndexLayout): SymbolPlaces {
  const { symbols, series } = layout.toc;
  const scanner = new SectionScanner(source, symbols, series);
  const count = scanner.u32();
  if (count > scanner.byteLength) throw scanner.corrupt(`a section of ${scanner.byteLength} bytes can't hold ${count} symbols`);
  const isSparse = layout.version > 1;
  const offsets = new Uint32Array(new SharedArrayBuffer(isSparse ? Math.ceil(count / SYMBOL_STEP) * 4 : 0));
  for (let i = 0; i < count; i++) {
    if (isSparse && i % SYMBOL_STEP === 0) offsets[i / SYMBOL_STEP] = scanner.offset - symbols;
    scanner.skip(scanner.stringLength());
  }
  scanner.finish();
  return { count, offsets };
}

export class SymbolTable {
  readonly #source: ByteSource;
  readonly #layout: IndexLayout;
  readonly #places: SymbolPlaces;
  readonly #window: ByteWindow;
  readonly #cache: SymbolCache;
  readonly #number: number;

  constructor(source: ByteSource, layout: IndexLayout, places: SymbolPlaces, cache: SymbolCache) {
    this.#source = source;
    this.#layout = layout;
    this.#places = places;
    this.#window = new ByteWindow(source);
    this.#cache = cache;
    this.#number = cache.register();
  }

  get count(): number {
    return this.#places.count;
  }

  /** @param symbol as series entries name it: a number, in version 1 an offset @throws CorruptError */
  text(symbol: number): string {
    const known = this.#cache.get(this.#number, symbol);
    if (known !== undefined) return known;
    const text = this.#read(symbol);
    this.#cache.set(this.#number, symbol, text);
    return text;
  }

  /** All of them, in byte order. @throws CorruptError */
  *all(): Generator<string> {
    const scanner = new SectionScanner(this.#source, this.#layout.toc.symbols, this.#layout.toc.series);
    const count = scanner.u32();
    for (let i = 0; i < count; i++) {
      const length = scanner.stringLength();
      scanner.need(length);
      const text = decodeText(scanner.bytes, scanner.at, scanner.at + length);
      if (text === null) throw scanner.corrupt('a symbol is not UTF-8');
      scanner.skip(length);
      yield text;
    }
    scanner.finish();
  }

  /** Gives memory back that the next call takes again. */
  release(): void {
    this.#window.release();
  }

  #read(symbol: number): string {
    const { symbols, series } = this.#layout.toc;
    let at: number;
    let skipped: number;
    if (this.#layout.version === 1) {
      if (symbol < symbols + 8 || symbol >= series - CRC_BYTES) throw this.#corrupt(`there is no symbol at ${symbol}`, symbols);
      at = symbol;
      skipped = 0;
    } else {
      if (symbol >= this.#places.count) throw this.#corrupt(`there is no symbol ${symbol}, there are ${this.#places.count}`, symbols);
      at = symbols + this.#places.offsets[Math.floor(symbol / SYMBOL_STEP)]!;
      skipped = symbol % SYMBOL_STEP;
    }
    for (;;) {
      const room = series - CRC_BYTES - at;
      let from = this.#window.locate(at, Math.max(1, Math.min(MAX_LENGTH_BYTES, room)));
      const bytes = this.#window.bytes;
      let length = bytes[from]! & 0x7f;
      let lengthBytes = 1;
      for (let scale = 128; bytes[from + lengthBytes - 1]! >= 0x80 && lengthBytes < MAX_LENGTH_BYTES; scale *= 128) {
        length += (bytes[from + lengthBytes]! & 0x7f) * scale;
        lengthBytes++;
      }
      if (length > MAX_SYMBOL_BYTES || lengthBytes + length > room) throw this.#corrupt(`a symbol of ${length} bytes does not fit`, at);
      at += lengthBytes;
      if (skipped > 0) {
        skipped--;
        at += length;
        continue;
      }
      from = this.#window.locate(at, length);
      const text = decodeText(this.#window.bytes, from, from + length);
      if (text === null) throw this.#corrupt('a symbol is not UTF-8', at);
      return text;
    }
  }

  #corrupt(what: string, offset: number): CorruptError {
    return new CorruptError(what, { file: this.#source.file, offset });
  }
}

/** The text of `bytes[from, to)`, null where it is not UTF-8. */
export function decodeText(bytes: Buffer, from: number, to: number): string | null {
  for (let i = from; i < to; i++) {
    if (bytes[i]! < 0x80) continue;
    try {
      return strict.decode(bytes.subarray(from, to));
    } catch (error) {
      if (error instanceof TypeError) return null;
      throw error;
    }
  }
  return bytes.toString('latin1', from, to);
}
