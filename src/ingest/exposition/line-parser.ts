/**
 * What the text and the OpenMetrics parser share: the cursor, names, quoted strings, label sets and errors.
 *
 * A parser goes through a body line by line and leaves offsets; strings are made only when they are asked for. Error
 * texts follow Prometheus, which names the token it met.
 */
import { compareStrings, METRIC_NAME, quote, type Labels } from '../../core/model/labels.ts';
import { MAX_LABEL_BYTES, MAX_LABELS, MAX_LINE_BYTES } from './bounds.ts';
import { ExpositionError, isUtf8, quoteBytes } from './errors.ts';
import { normalizeBound, parseSampleFloat } from './sample-float.ts';
import { StringTable } from './string-table.ts';

/** What `next` found: a sample line, a comment line with meaning, one without, or the end of the body. */
export type Line = 'series' | 'help' | 'type' | 'unit' | 'comment' | 'end';

export type Token =
  | 'INVALID'
  | 'EOF'
  | 'LINEBREAK'
  | 'HELP'
  | 'TYPE'
  | 'UNIT'
  | 'EOFWORD'
  | 'TEXT'
  | 'COMMENT'
  | 'MNAME'
  | 'BOPEN'
  | 'BCLOSE'
  | 'LNAME'
  | 'QSTRING'
  | 'LVALUE'
  | 'EQUAL'
  | 'COMMA'
  | 'TIMESTAMP'
  | 'VALUE';

/** Which labels of a line hold floats: the type that the last TYPE line named, as far as it matters. */
export type BoundContext = 'histogram' | 'summary' | 'other';

export interface ParsedExemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Undefined: that of the sample. */
  readonly timeMs: number | undefined;
}

export const NEWLINE = 0x0a;
export const SPACE = 0x20;
export const TAB = 0x09;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;

export abstract class LineParser {
  /** The body; may lie in shared memory. */
  protected bytes: Uint8Array = new Uint8Array(0);
  protected end = 0;
  #bodyStart = 0;
  /** The next byte to read; behind the last line's newline between two calls of `next`. */
  position = 0;
  /** Where the line begins that `next` read. */
  lineStart = 0;
  protected tokenStart = 0;

  /** Of a sample line: the bytes that name the series, from the name or brace to the closing brace. */
  seriesStart = 0;
  seriesEnd = 0;
  value = 0;
  /** Whether the line brought its own time, `timeMs`. */
  hasTime = false;
  timeMs = 0;
  exemplar: ParsedExemplar | undefined;
  /** Whether a label of the series is `le` or `quantile`, so that its labels depend on `boundContext`. */
  hasBound = false;
  boundContext: BoundContext = 'other';

  /** Of HELP, TYPE and UNIT lines. */
  metric = '';
  text = '';

  readonly #strings: StringTable;
  /** Start and end of the metric's name; -1 before it is known. Of a quoted name without the quotes. */
  #nameStart = -1;
  #nameEnd = -1;
  /** For each label: name start and end, value start and end. */
  readonly #labelOffsets: number[] = [];

  constructor(strings: StringTable = new StringTable()) {
    this.#strings = strings;
  }

  /** Begins with the body in [start, end) of `bytes`, nothing of the former body counts. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.#bodyStart = start;
    this.position = start;
    this.end = end;
    this.boundContext = 'other';
  }

  /** Reads one line. @throws ExpositionError */
  abstract next(): Line;

  /** Labels of the sample line, sorted, `__name__` and empty values included. @throws ExpositionError on a repeated name */
  labels(): Labels {
    const labels = this.#materialize(this.#labelOffsets, this.boundContext);
    labels.push(METRIC_NAME, this.string(this.#nameStart, this.#nameEnd));
    return this.#sorted(labels);
  }

  /** An error at the line that `next` is reading. */
  protected error(reason: string): ExpositionError {
    let line = 1;
    for (let i = this.#bodyStart; i < this.lineStart; i++) if (this.bytes[i] === NEWLINE) line++;
    return new ExpositionError(reason, line);
  }

  /** The error for an unexpected token, with what was read of the line up to it. */
  protected unexpected(expected: string, token: Token): ExpositionError {
    const stop = Math.min(this.end, token === 'INVALID' ? this.position + 1 : Math.max(this.position, this.tokenStart));
    const got = quoteBytes(this.bytes, this.tokenStart, stop);
    return this.error(`${expected}, got ${got} ("${token}")${this.excerpt(stop)}`);
  }

  /** ` while parsing: "…"`, the line up to `stop`. */
  protected excerpt(stop = this.position): string {
    return ` while parsing: ${quoteBytes(this.bytes, this.lineStart, Math.min(this.end, stop))}`;
  }

  /** @throws ExpositionError when the line is longer than any line may be */
  protected checkLength(): void {
    if (this.position - this.lineStart > MAX_LINE_BYTES) {
      throw this.error(`line is longer than ${MAX_LINE_BYTES} bytes${this.excerpt()}`);
    }
  }

  /** The byte at the cursor; a newline behind the last byte. */
  protected peek(): number {
    return this.position < this.end ? this.bytes[this.position]! : NEWLINE;
  }

  /** Ends the token before the cursor's byte or behind `length` of them. */
  protected take(token: Token, length: number): Token {
    this.position += length;
    return token;
  }

  protected string(start: number, end: number): string {
    const { bytes } = this;
    for (let i = start; i < end; i++) if (bytes[i] === BACKSLASH) return unescapeLabel(this.#strings.read(bytes, start, end));
    return this.#strings.read(bytes, start, end);
  }

  /** Text without escapes. */
  protected rawString(start: number, end: number): string {
    return this.#strings.read(this.bytes, start, end);
  }

  /** A metric name at the cursor, '' bytes long if there is none. */
  protected scanName(colons: boolean): number {
    let i = this.position;
    while (i < this.end && isNameByte(this.bytes[i]!, i > this.position, colons)) i++;
    return i - this.position;
  }

  /** Bytes of the quoted string at the cursor, quotes included; 0 if none begins or it does not end. */
  protected scanQuoted(newlines: boolean): number {
    const { bytes, end } = this;
    if (this.position >= end || bytes[this.position] !== QUOTE) return 0;
    for (let i = this.position + 1; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) return i + 1 - this.position;
      if (byte === BACKSLASH) {
        i++;
        if (i < end && bytes[i] === NEWLINE) return 0;
      } else if (byte === NEWLINE && !newlines) return 0;
    }
    return 0;
  }

  /** Bytes until one of the four stops or the end. */
  protected scanUntil(a: number, b: number, c: number, d: number): number {
    let i = this.position;
    for (; i < this.end; i++) {
      const byte = this.bytes[i]!;
      if (byte === a || byte === b || byte === c || byte === d) break;
    }
    return i - this.position;
  }

  /** A token between braces, the cursor on its first byte. */
  protected labelToken(newlines: boolean): Token {
    this.tokenStart = this.position;
    if (this.position >= this.end) return 'INVALID';
    const byte = this.bytes[this.position]!;
    if (byte === CLOSE_BRACE) return this.take('BCLOSE', 1);
    if (byte === EQUALS) return this.take('EQUAL', 1);
    if (byte === COMMA) return this.take('COMMA', 1);
    const quoted = this.scanQuoted(newlines);
    if (quoted > 0) return this.take('QSTRING', quoted);
    const name = this.scanName(false);
    return name > 0 ? this.take('LNAME', name) : 'INVALID';
  }

  protected labelValueToken(newlines: boolean): Token {
    this.tokenStart = this.position;
    const quoted = this.scanQuoted(newlines);
    return quoted > 0 ? this.take('LVALUE', quoted) : 'INVALID';
  }

  protected beginSeries(): void {
    this.#nameStart = -1;
    this.#nameEnd = -1;
    this.#labelOffsets.length = 0;
    this.hasBound = false;
    this.hasTime = false;
    this.exemplar = undefined;
  }

  protected setName(start: number, end: number): void {
    this.#checkPart(start, end, 'metric name');
    this.#nameStart = start;
    this.#nameEnd = end;
  }

  /** @throws ExpositionError where braces held no metric name */
  protected requireName(): void {
    if (this.#nameStart < 0 || this.#nameStart === this.#nameEnd) throw this.error(`metric name not set${this.excerpt()}`);
  }

  /** Reads what follows an opening brace up to the closing one. `token` gets tokens as the format spaces them. */
  protected readLabels(token: () => Token, valueToken: () => Token, commasRequired: boolean): void {
    this.#readPairs(this.#labelOffsets, token, valueToken, commasRequired, true);
    for (let i = 0; i < this.#labelOffsets.length; i += 4) {
      if (this.#isBoundName(this.#labelOffsets[i]!, this.#labelOffsets[i + 1]!)) this.hasBound = true;
    }
  }

  /** The label set of an exemplar, the cursor behind its opening brace. */
  protected readExemplarLabels(token: () => Token, valueToken: () => Token): Labels {
    const offsets: number[] = [];
    this.#readPairs(offsets, token, valueToken, true, false);
    return this.#sorted(this.#materialize(offsets, 'other'));
  }

  #readPairs(offsets: number[], nextToken: () => Token, valueToken: () => Token, commasRequired: boolean, namesMetric: boolean): void {
    let token = nextToken();
    while (token !== 'BCLOSE') {
      if (token !== 'LNAME' && token !== 'QSTRING') throw this.unexpected('expected label name', token);
      const quoted = token === 'QSTRING';
      const start = this.tokenStart + (quoted ? 1 : 0);
      const end = this.position - (quoted ? 1 : 0);
      token = nextToken();
      // A quoted string that no value follows is the metric's name.
      if (quoted && namesMetric && (token === 'COMMA' || token === 'BCLOSE')) {
        if (this.#nameStart >= 0) throw this.error(`metric name already set${this.excerpt()}`);
        this.setName(start, end);
      } else {
        if (token !== 'EQUAL') throw this.unexpected('expected equal', token);
        token = valueToken();
        if (token !== 'LVALUE') throw this.unexpected('expected label value', token);
        this.#checkPart(start, end, 'label name');
        this.#checkPart(this.tokenStart + 1, this.position - 1, 'label value');
        if (start === end) throw this.error(`label name is empty${this.excerpt()}`);
        offsets.push(start, end, this.tokenStart + 1, this.position - 1);
        if (offsets.length > 4 * MAX_LABELS) throw this.error(`more than ${MAX_LABELS} labels${this.excerpt()}`);
        token = nextToken();
      }
      if (token === 'COMMA') token = nextToken();
      else if (commasRequired && token !== 'BCLOSE') throw this.unexpected('expected comma or brace close', token);
    }
  }

  #checkPart(start: number, end: number, what: string): void {
    if (end - start > MAX_LABEL_BYTES) throw this.error(`${what} is longer than ${MAX_LABEL_BYTES} bytes${this.excerpt()}`);
    if (!isUtf8(this.bytes, start, end)) throw this.error(`invalid UTF-8 ${what}: ${quoteBytes(this.bytes, start, end)}`);
  }

  #isBoundName(start: number, end: number): boolean {
    if (end - start !== 2 && end - start !== 8) return false;
    const name = this.rawString(start, end);
    return name === 'le' || name === 'quantile';
  }

  #materialize(offsets: readonly number[], context: BoundContext): string[] {
    const bound = context === 'histogram' ? 'le' : context === 'summary' ? 'quantile' : '';
    const labels: string[] = [];
    for (let i = 0; i < offsets.length; i += 4) {
      const name = this.string(offsets[i]!, offsets[i + 1]!);
      const value = this.string(offsets[i + 2]!, offsets[i + 3]!);
      labels.push(name, name === bound && bound !== '' ? normalizeBound(value) : value);
    }
    return labels;
  }

  #sorted(labels: string[]): Labels {
    const sorted = labels.length > 2 * MAX_INSERTION_SORT ? sortPairs(labels) : insertionSortPairs(labels);
    for (let i = 2; i < sorted.length; i += 2) {
      if (sorted[i] === sorted[i - 2]) throw this.error(`label name ${quote(sorted[i]!)} is not unique: invalid sample`);
    }
    return sorted;
  }

  /** Reads the value's token. @throws ExpositionError */
  protected readFloat(start: number, end: number): number {
    this.checkLength();
    const value = parseSampleFloat(this.rawValue(start, end));
    if (typeof value === 'string') throw this.error(`${value}${this.excerpt()}`);
    return value;
  }

  /** Values are not shared: they rarely repeat. */
  protected rawValue(start: number, end: number): string {
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(this.bytes[i]!);
    return text;
  }

  /** Sets metric and text of a comment line; `text` may not be valid. */
  protected setComment(line: 'help' | 'type' | 'unit', nameStart: number, nameEnd: number, textStart: number, textEnd: number): void {
    this.checkLength();
    const quoted = this.bytes[nameStart] === QUOTE;
    const start = nameStart + (quoted ? 1 : 0);
    const end = nameEnd - (quoted ? 1 : 0);
    this.#checkPart(start, end, 'metric name');
    this.metric = this.string(start, end);
    if (!isUtf8(this.bytes, textStart, textEnd)) {
      const text = quoteBytes(this.bytes, textStart, textEnd);
      throw this.error(line === 'help' ? `help text ${text} is not a valid utf8 string` : `invalid metric ${line} ${text}`);
    }
    this.text = this.rawString(textStart, textEnd);
  }
}

/** As many pairs are sorted by insertion, most of them being in order. */
const MAX_INSERTION_SORT = 64;

function sortPairs(labels: readonly string[]): string[] {
  const pairs = Array.from({ length: labels.length / 2 }, (_, i) => [labels[2 * i]!, labels[2 * i + 1]!] as const);
  return pairs.sort(([a], [b]) => compareStrings(a, b)).flat();
}

function insertionSortPairs(labels: string[]): string[] {
  for (let i = 2; i < labels.length; i += 2) {
    const name = labels[i]!;
    const value = labels[i + 1]!;
    let at = i;
    for (; at > 0 && compareStrings(labels[at - 2]!, name) > 0; at -= 2) {
      labels[at] = labels[at - 2]!;
      labels[at + 1] = labels[at - 1]!;
    }
    labels[at] = name;
    labels[at + 1] = value;
  }
  return labels;
}

function isNameByte(byte: number, digits: boolean, colons: boolean): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === UNDERSCORE ||
    (colons && byte === COLON) ||
    (digits && byte >= 0x30 && byte <= 0x39)
  );
}

/** Resolves `\\`, `\"` and `\n`; other escapes stay as they are. */
export function unescapeLabel(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
