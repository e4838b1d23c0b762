/**
 * OpenMetrics 1.0.0 and 0.0.1: single spaces, no blank lines or free comments, exemplars, and `# EOF` at the end.
 *
 * As in Prometheus, and unlike the specification, metric names may have any suffix and families may be interleaved.
 */
import { HASH, LineParser, NEWLINE, OPEN_BRACE, SPACE, type Line, type Token } from './line-parser.ts';
import { quoteShort } from './sample-float.ts';
import { contextOf } from './text-parser.ts';

const TYPES: ReadonlySet<string> = new Set([
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
]);
const WORDS = ['HELP', 'TYPE', 'UNIT'] as const;

export class OpenMetricsParser extends LineParser {
  readonly #labelToken = (): Token => this.labelToken(false);
  readonly #labelValueToken = (): Token => this.labelValueToken(false);

  override next(): Line {
    this.lineStart = this.position;
    this.tokenStart = this.position;
    // A NUL at the start of a line ends the body, as it does in Prometheus.
    if (this.position >= this.end || this.peek() === 0) throw this.error('data does not end with # EOF');
    return this.peek() === HASH ? this.#readComment() : this.#readSeries();
  }

  #startsWith(text: string): boolean {
    if (this.position + text.length > this.end) return false;
    for (let i = 0; i < text.length; i++) if (this.bytes[this.position + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  #readComment(): Line {
    if (this.#startsWith('# EOF')) return this.#readEof();
    const word = WORDS.find((word) => this.#startsWith(`# ${word} `));
    if (word === undefined) throw this.unexpected('expected a valid start token', 'INVALID');
    this.position += 7;
    this.tokenStart = this.position;
    const nameStart = this.position;
    const nameBytes = this.scanQuoted(false) || this.scanName(true);
    if (nameBytes === 0) throw this.unexpected(`expected metric name after ${word}`, 'INVALID');
    this.position += nameBytes;
    const nameEnd = this.position;
    this.position += this.scanUntil(NEWLINE, NEWLINE, NEWLINE, NEWLINE);
    if (this.position >= this.end || this.bytes[nameEnd] !== SPACE) throw this.error(`expected text in ${word}${this.excerpt()}`);
    const line = word === 'HELP' ? 'help' : word === 'TYPE' ? 'type' : 'unit';
    this.setComment(line, nameStart, nameEnd, nameEnd + 1, this.position);
    this.#checkComment(line);
    this.position++;
    return line;
  }

  #checkComment(line: 'help' | 'type' | 'unit'): void {
    const { metric, text } = this;
    if (line === 'type') {
      if (!TYPES.has(text)) throw this.error(`invalid metric type ${quoteShort(text)}`);
      this.boundContext = contextOf(text);
    } else if (line === 'unit' && text !== '' && !(metric.endsWith(`_${text}`) && metric.length > text.length + 1)) {
      throw this.error(`unit ${quoteShort(text)} not a suffix of metric ${quoteShort(metric)}`);
    }
  }

  #readEof(): Line {
    this.position += 5;
    if (this.position < this.end && this.peek() === NEWLINE) this.position++;
    if (this.position < this.end && this.peek() !== 0) throw this.error('unexpected data after # EOF');
    this.position = this.end;
    return 'end';
  }

  #readSeries(): Line {
    this.beginSeries();
    this.seriesStart = this.position;
    const nameBytes = this.scanName(true);
    if (nameBytes > 0) this.setName(this.position, this.position + nameBytes);
    this.position += nameBytes;
    if (this.peek() === OPEN_BRACE) {
      this.position++;
      this.readLabels(this.#labelToken, this.#labelValueToken, true);
    } else if (nameBytes === 0) throw this.unexpected('expected a valid start token', 'INVALID');
    this.seriesEnd = this.position;
    this.requireName();
    let token = this.#wordToken('VALUE');
    if (token !== 'VALUE') throw this.unexpected('expected value after metric', token);
    this.value = this.readFloat(this.tokenStart, this.position);
    token = this.#timestampToken();
    if (token === 'TIMESTAMP') {
      this.timeMs = this.#readTime('invalid timestamp');
      this.hasTime = true;
      token = this.#timestampToken();
      if (token === 'TIMESTAMP') throw this.unexpected('expected next entry after timestamp', token);
    }
    if (token === 'COMMENT') this.#readExemplar();
    else if (token !== 'LINEBREAK') throw this.#unfinished('expected timestamp or # symbol', token);
    this.checkLength();
    return 'series';
  }

  #unfinished(expected: string, token: Token): Error {
    return token === 'EOF' ? this.error('data does not end with # EOF') : this.unexpected(expected, token);
  }

  #readExemplar(): void {
    const labels = this.readExemplarLabels(this.#labelToken, this.#labelValueToken);
    let token = this.#wordToken('VALUE');
    if (token !== 'VALUE') throw this.unexpected('expected value after exemplar labels', token);
    const value = this.readFloat(this.tokenStart, this.position);
    let timeMs: number | undefined;
    token = this.#lineEndOr('TIMESTAMP');
    if (token === 'TIMESTAMP') {
      timeMs = this.#readTime('invalid exemplar timestamp');
      token = this.#lineEndOr('TIMESTAMP');
    }
    if (token !== 'LINEBREAK') throw this.#unfinished('expected next entry after exemplar timestamp', token);
    this.exemplar = { labels, value, timeMs };
  }

  /** Seconds as written, in milliseconds cut towards zero. */
  #readTime(invalid: string): number {
    const seconds = this.readFloat(this.tokenStart, this.position);
    if (!Number.isFinite(seconds)) throw this.error(`${invalid} ${seconds}${this.excerpt()}`);
    return Math.trunc(seconds * 1000);
  }

  /** One space and what follows it up to the next; the token begins behind the space. */
  #wordToken(token: 'VALUE' | 'TIMESTAMP'): Token {
    this.tokenStart = this.position;
    if (this.position >= this.end || this.peek() !== SPACE) return 'INVALID';
    this.position++;
    const length = this.scanUntil(SPACE, NEWLINE, 0, 0);
    if (length === 0) {
      this.position--;
      return 'INVALID';
    }
    this.tokenStart = this.position;
    return this.take(token, length);
  }

  #lineEndOr(token: 'TIMESTAMP'): Token {
    this.tokenStart = this.position;
    if (this.position >= this.end) return 'EOF';
    return this.peek() === NEWLINE ? this.take('LINEBREAK', 1) : this.#wordToken(token);
  }

  #timestampToken(): Token {
    if (!this.#startsWith(' # {')) return this.#lineEndOr('TIMESTAMP');
    this.tokenStart = this.position;
    return this.take('COMMENT', 4);
  }
}

/** Help texts escape the backslash, the quote and the newline. */
export function unescapeOpenMetricsHelp(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
