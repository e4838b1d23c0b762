/**
 * Reads a section of a file once from front to back, with little memory, and checks its checksum at the end.
 */
import { CorruptError } from '../../core/base/errors.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import type { ByteSource } from './byte-source.ts';
import { CRC_BYTES, MAX_SYMBOL_BYTES } from './index-format.ts';

const BUFFER_BYTES = 256 * 1024;
/** Bytes of a 64-bit varint. */
const MAX_VARINT_BYTES = 10;

export class SectionScanner {
  readonly #source: ByteSource;
  /** First byte of the content, and the one behind its last. */
  readonly #from: number;
  readonly #to: number;
  #bytes: Buffer;
  /** File offset of `bytes[0]`. */
  #start: number;
  #length = 0;
  #crc = 0;
  /** The next byte in `bytes`. */
  at = 0;

  /** A section that begins with its length at `offset` and may reach to `limit`. @throws CorruptError */
  constructor(source: ByteSource, offset: number, limit: number) {
    this.#source = source;
    const head = Buffer.alloc(4);
    if (offset + 4 + CRC_BYTES > limit) throw new CorruptError('a section has no room for its length', { file: source.file, offset });
    source.read(offset, 4, head, 0);
    const length = head.readUInt32BE(0);
    this.#from = offset + 4;
    this.#to = this.#from + length;
    if (this.#to + CRC_BYTES > limit) throw new CorruptError(`a section of ${length} bytes reaches into the next`, { file: source.file, offset });
    this.#start = this.#from;
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(BUFFER_BYTES, length));
  }

  /** Bytes of the content. */
  get byteLength(): number {
    return this.#to - this.#from;
  }

  /** What `at` points into; another object after a call that read. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Where in the file `at` is. */
  get offset(): number {
    return this.#start + this.at;
  }

  get isDone(): boolean {
    return this.offset >= this.#to;
  }

  /** Makes the next `count` bytes stand at `bytes[at]`. @throws CorruptError where the section ends before */
  need(count: number): void {
    if (this.at + count > this.#length) this.#fill(count);
  }

  u32(): number {
    this.need(4);
    const value = this.#bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** @throws CorruptError where it is no safe integer */
  uvarint(): number {
    if (this.at + MAX_VARINT_BYTES > this.#length) this.#fillUpTo(MAX_VARINT_BYTES);
    const bytes = this.#bytes;
    const end = Math.min(this.#length, this.at + MAX_VARINT_BYTES);
    let value = 0;
    let scale = 1;
    for (let at = this.at; at < end; at++, scale *= 128) {
      const byte = bytes[at]!;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (value > Number.MAX_SAFE_INTEGER) break;
      this.at = at + 1;
      return value;
    }
    throw this.corrupt('a number is damaged');
  }

  /** The length of a label name or value, whose bytes follow. @throws CorruptError */
  stringLength(): number {
    const length = this.uvarint();
    if (length > MAX_SYMBOL_BYTES) throw this.corrupt(`a string of ${length} bytes is too long`);
    return length;
  }

  /** Steps over `count` bytes. */
  skip(count: number): void {
    if (this.at + count <= this.#length) {
      this.at += count;
      return;
    }
    if (this.offset + count > this.#to) throw this.corrupt(`the section ends inside a field of ${count} bytes`);
    let left = count - (this.#length - this.at);
    this.at = this.#length;
    while (left > 0) {
      this.#fillUpTo(Math.min(left, BUFFER_BYTES));
      const step = Math.min(left, this.#length - this.at);
      this.at += step;
      left -= step;
    }
  }

  /** To be called at the end of the content. @throws CorruptError where the checksum does not fit or something is left */
  finish(): void {
    if (!this.isDone) throw this.corrupt(`${this.#to - this.offset} bytes of the section are left over`);
    const stored = Buffer.alloc(CRC_BYTES);
    this.#source.read(this.#to, CRC_BYTES, stored, 0);
    if (stored.readUInt32BE(0) !== this.#crc) {
      throw new CorruptError('the section does not fit its checksum', { file: this.#source.file, offset: this.#from - 4 });
    }
  }

  corrupt(what: string): CorruptError {
    return new CorruptError(what, { file: this.#source.file, offset: this.offset });
  }

  #fill(count: number): void {
    if (this.offset + count > this.#to) throw this.corrupt(`the section ends inside a field of ${count} bytes`);
    this.#fillUpTo(count);
  }

  /** Reads on until `count` bytes follow `at`, or all that the section has. */
  #fillUpTo(count: number): void {
    const kept = this.#length - this.at;
    if (count > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(count, this.#bytes.length * 2), Math.max(this.byteLength, count)));
      this.#bytes.copy(larger, 0, this.at, this.#length);
      this.#bytes = larger;
    } else this.#bytes.copyWithin(0, this.at, this.#length);
    this.#start += this.at;
    this.at = 0;
    this.#length = kept;
    const next = this.#start + kept;
    const room = Math.min(this.#bytes.length - kept, this.#to - next);
    if (room <= 0) return;
    this.#source.read(next, room, this.#bytes, kept);
    this.#crc = crc32c(this.#bytes, kept, kept + room, this.#crc);
    this.#length = kept + room;
  }
}
