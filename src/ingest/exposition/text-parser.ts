/**
 * The Prometheus text format, 0.0.4 and 1.0.0: they differ only in what a server may send, quoted names.
 *
 * Blanks between tokens are free, label values may contain newlines, and a NUL at the start of a line ends the body.
 */
import {
  HASH,
  LineParser,
  NEWLINE,
  OPEN_BRACE,
  SPACE,
  TAB,
  type BoundContext,
  type Line,
  type Token,
} from './line-parser.ts';
import { quoteShort } from './sample-float.ts';

const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
/** Timestamps are 64-bit integers. */
const MAX_TIMESTAMP = 2n ** 63n - 1n;

export class TextParser extends LineParser {
  readonly #labelToken = (): Token => {
    this.#skipBlanks();
    return this.labelToken(true);
  };
  readonly #labelValueToken = (): Token => {
    this.#skipBlanks();
    return this.labelValueToken(true);
  };

  override next(): Line {
    for (;;) {
      this.#skipBlanks();
      this.lineStart = this.position;
      this.tokenStart = this.position;
      if (this.position >= this.end) return 'end';
      const byte = this.peek();
      if (byte === NEWLINE) {
        this.position++;
        continue;
      }
      if (byte === 0) {
        this.position = this.end;
        return 'end';
      }
      return byte === HASH ? this.#readComment() : this.#readSeries();
    }
  }

  #skipBlanks(): void {
    while (this.position < this.end) {
      const byte = this.bytes[this.position]!;
      if (byte !== SPACE && byte !== TAB) return;
      this.position++;
    }
  }

  #atBlank(offset: number): boolean {
    const byte = this.position + offset < this.end ? this.bytes[this.position + offset]! : NEWLINE;
    return byte === SPACE || byte === TAB;
  }

  #atWord(word: 'HELP' | 'TYPE'): boolean {
    for (let i = 0; i < 4; i++) if (this.bytes[this.position + i] !== word.charCodeAt(i)) return false;
    return this.position + 4 < this.end && this.#atBlank(4);
  }

  #restOfLine(): number {
    return this.scanUntil(NEWLINE, NEWLINE, NEWLINE, NEWLINE);
  }

  #endLine(): void {
    if (this.position < this.end) this.position++;
  }

  #readComment(): Line {
    this.position++;
    if (!this.#atBlank(0)) return this.#skipComment();
    this.#skipBlanks();
    const line = this.#atWord('HELP') ? 'help' : this.#atWord('TYPE') ? 'type' : undefined;
    if (line === undefined) return this.#skipComment();
    this.position += 4;
    this.#skipBlanks();
    this.tokenStart = this.position;
    const nameBytes = this.scanQuoted(true) || this.scanName(true);
    if (nameBytes === 0) throw this.unexpected(`expected metric name after ${line.toUpperCase()}`, 'INVALID');
    const nameEnd = this.position + nameBytes;
    const nameStart = this.position;
    this.position = nameEnd;
    this.position += this.#restOfLine();
    // One character behind the name is the separator, whatever it is.
    this.setComment(line, nameStart, nameEnd, Math.min(nameEnd + 1, this.position), this.position);
    if (line === 'type') {
      if (!TYPES.has(this.text)) throw this.error(`invalid metric type ${quoteShort(this.text)}`);
      this.boundContext = contextOf(this.text);
    }
    this.#endLine();
    return line;
  }

  #skipComment(): Line {
    this.position += this.#restOfLine();
    this.checkLength();
    this.#endLine();
    return 'comment';
  }

  #readSeries(): Line {
    this.beginSeries();
    this.seriesStart = this.position;
    const nameBytes = this.scanName(true);
    if (nameBytes > 0) {
      this.setName(this.position, this.position + nameBytes);
      this.position += nameBytes;
    } else if (this.peek() !== OPEN_BRACE) throw this.unexpected('expected a valid start token', 'INVALID');
    this.seriesEnd = this.position;
    let token = this.#valueToken();
    if (token === 'BOPEN') {
      this.readLabels(this.#labelToken, this.#labelValueToken, false);
      this.seriesEnd = this.position;
      token = this.#valueToken();
    }
    this.requireName();
    if (token !== 'VALUE') throw this.unexpected('expected value after metric', token);
    this.value = this.readFloat(this.tokenStart, this.position);
    this.#readTimestamp();
    this.checkLength();
    return 'series';
  }

  #valueToken(): Token {
    this.#skipBlanks();
    this.tokenStart = this.position;
    if (this.peek() === OPEN_BRACE) return this.take('BOPEN', 1);
    let length = 0;
    while (this.position + length < this.end) {
      const byte = this.bytes[this.position + length]!;
      if (byte === SPACE || byte === TAB || byte === NEWLINE || byte === OPEN_BRACE || byte === 0) break;
      length++;
    }
    return length > 0 ? this.take('VALUE', length) : 'INVALID';
  }

  #timestampToken(): Token {
    this.#skipBlanks();
    this.tokenStart = this.position;
    if (this.peek() === NEWLINE) {
      this.#endLine();
      return 'LINEBREAK';
    }
    let length = 0;
    while (this.position + length < this.end && isDigit(this.bytes[this.position + length]!)) length++;
    return length > 0 ? this.take('TIMESTAMP', length) : 'INVALID';
  }

  #readTimestamp(): void {
    let token = this.#timestampToken();
    if (token === 'TIMESTAMP') {
      this.checkLength();
      const text = this.rawValue(this.tokenStart, this.position);
      this.timeMs = Number(text);
      if (text.length > 18 && BigInt(text) > MAX_TIMESTAMP) {
        throw this.error(`strconv.ParseInt: parsing ${quoteShort(text)}: value out of range${this.excerpt()}`);
      }
      this.hasTime = true;
      token = this.#timestampToken();
      if (token !== 'LINEBREAK') throw this.unexpected('expected next entry after timestamp', token);
    } else if (token !== 'LINEBREAK') throw this.unexpected('expected timestamp or new record', token);
  }
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** What a type says about `le` and `quantile`. */
export function contextOf(type: string): BoundContext {
  return type === 'histogram' || type === 'summary' ? type : 'other';
}

/** Help texts escape the backslash and the newline. */
export function unescapeTextHelp(text: string): string {
  return text.replace(/\\([\\n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
