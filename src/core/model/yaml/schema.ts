/**
 * Types of configuration values: each says how its YAML becomes a value, and how the value is printed back.
 *
 * One description serves both ways, so the effective configuration prints in the shape it was written in. Values of wrong
 * types and unknown keys are collected, all of them; a value that is of the right type and means nothing ends the reading.
 * A null node gives a type's zero, as in go-yaml.
 */
import { quote } from '../labels.ts';
import { invalidConfig, unmarshalErrors, type ConfigIssue } from './config-error.ts';
import type { MappingEntry, MappingNode, YamlNode } from './yaml-node.ts';
import { decodeBinary, isNullNode, resolveScalar } from './yaml-scalar.ts';

/** What a printer of YAML takes. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface Type<T> {
  /** As Go names it; messages tell it. */
  readonly goName: string;
  /** What null and nothing stand for. */
  readonly zero: T;
  /** Of a node that is not null. Reports through `reader`; what it returns then is of no matter. */
  decode(node: YamlNode, reader: Reader): T;
  encode(value: T): Plain;
  /** Whether printing leaves the value out. */
  isZero(value: T): boolean;
}

export interface ReaderOptions {
  /** Reports keys that no field has. */
  readonly strict: boolean;
  /** What relative paths start from. */
  readonly dir: string;
}

/** One reading: the path to where it is, what was wrong so far, and where each struct stands. */
export class Reader {
  readonly options: ReaderOptions;
  readonly #issues: ConfigIssue[] = [];
  readonly #path: string[] = [];
  readonly #places = new WeakMap<object, StructPlace>();

  constructor(options: ReaderOptions) {
    this.options = options;
  }

  get issueCount(): number {
    return this.#issues.length;
  }

  /** `.name` or `[3]`, joined. */
  get path(): string {
    return this.#path.join('').replace(/^\./, '');
  }

  /** @throws ConfigError where there were values of wrong types or unknown keys */
  finish(): void {
    // In the order of the text: fields are read in the order of their struct.
    if (this.#issues.length > 0)
      throw unmarshalErrors(this.#issues.toSorted((a, b) => a.line - b.line || a.column - b.column));
  }

  decode<T>(type: Type<T>, node: YamlNode): T {
    return isNullNode(node) ? type.zero : type.decode(node, this);
  }

  within<T>(step: string, read: () => T): T {
    this.#path.push(step);
    try {
      return read();
    } finally {
      this.#path.pop();
    }
  }

  /** Notes a wrong type or unknown key. */
  report(node: YamlNode, message: string): void {
    this.#issues.push({ message, line: node.line, column: node.column, field: this.path });
  }

  /** `cannot unmarshal !!str `abc` into uint` */
  mismatch(node: YamlNode, goName: string): void {
    this.report(node, `cannot unmarshal ${describeNode(node)} into ${goName}`);
  }

  /** Ends the reading. */
  fail(node: YamlNode, message: string, cause?: unknown): never {
    throw invalidConfig({ message, line: node.line, column: node.column, field: this.path }, cause);
  }

  setPlace(value: object, place: StructPlace): void {
    this.#places.set(value, place);
  }

  /** The place of the struct whose entries these are. */
  placeOfEntries(entries: ReadonlyMap<string, MappingEntry>): StructPlace {
    return new StructPlace(this.path, null, entries);
  }

  /** Where a struct that this reader decoded was written; nowhere for others. */
  placeOf(value: object): StructPlace {
    return this.#places.get(value) ?? NOWHERE;
  }
}

/** Where a struct stands, for checks that involve several fields. */
export class StructPlace {
  readonly #path: string;
  readonly #node: YamlNode | null;
  readonly #entries: ReadonlyMap<string, MappingEntry>;

  constructor(path: string, node: YamlNode | null, entries: ReadonlyMap<string, MappingEntry>) {
    this.#path = path;
    this.#node = node;
    this.#entries = entries;
  }

  /** Whether the key is written, null or not. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Ends the reading with a fault of field `key`, '' for the struct as a whole. */
  fail(key: string, message: string, cause?: unknown): never {
    const node = this.#entries.get(key)?.key ?? this.#node;
    const field = key === '' ? this.#path : `${this.#path}.${key}`.replace(/^\./, '');
    throw invalidConfig({ message, line: node?.line ?? 0, column: node?.column ?? 0, field }, cause);
  }
}

const NOWHERE = new StructPlace('', null, new Map());

/** One or more keys of a struct that make one property. */
export interface Part<T> {
  readonly keys: readonly string[];
  decode(entries: ReadonlyMap<string, MappingEntry>, reader: Reader): T;
  encode(value: T): readonly (readonly [string, Plain])[];
  isZero(value: T): boolean;
}

/** A key that printing leaves out where its value is zero, unless it would be read as another then. `absent` is the value where the key is not written. */
export function field<T>(key: string, type: Type<T>, absent: T = type.zero): Part<T> {
  const isHidden = type.isZero(absent) ? (value: T): boolean => type.isZero(value) : (): boolean => false;
  return keyed(key, type, absent, isHidden);
}

/** A key that is always printed. */
export function shownField<T>(key: string, type: Type<T>, absent: T = type.zero): Part<T> {
  return keyed(key, type, absent, () => false);
}

function keyed<T>(key: string, type: Type<T>, absent: T, isHidden: (value: T) => boolean): Part<T> {
  return {
    keys: [key],
    decode(entries, reader) {
      const entry = entries.get(key);
      return entry === undefined ? absent : reader.within(`.${key}`, () => reader.decode(type, entry.value));
    },
    encode: (value) => (isHidden(value) ? [] : [[key, type.encode(value)]]),
    isZero: (value) => type.isZero(value),
  };
}

type PartsOf<T> = { readonly [K in keyof T]: Part<T[K]> };

/** Keys of another struct among a struct's own: `inline` in Go. `check` sees the outer struct's place. */
export function inline<T extends object>(parts: PartsOf<T>, check?: Check<T>): Part<T> {
  const members = partsOf(parts);
  return {
    keys: members.flatMap(([, part]) => part.keys),
    decode(entries, reader) {
      const before = reader.issueCount;
      // Each member decodes the property of its own name, so together they make a T.
      const value = decodeParts(members, entries, reader) as T;
      if (check !== undefined && reader.issueCount === before) check(value, reader.placeOfEntries(entries));
      return value;
    },
    encode: (value) => encodeParts(members, value),
    isZero: (value) => isZeroStruct(members, value),
  };
}

export type Check<T> = (value: T, place: StructPlace) => void;

/**
 * A mapping with known keys.
 *
 * @param check runs where all fields were of their types; ends the reading by `place.fail`
 * @param options open: other keys are taken and forgotten
 */
export function struct<T extends object>(
  goName: string,
  parts: PartsOf<T>,
  check?: Check<T>,
  options: { readonly open?: boolean } = {},
): Type<T> {
  const members = partsOf(parts);
  const keys = new Set(members.flatMap(([, part]) => part.keys));
  const decodeEntries = (node: YamlNode | null, entries: ReadonlyMap<string, MappingEntry>, reader: Reader): T => {
    const before = reader.issueCount;
    const value = decodeParts(members, entries, reader) as T;
    const place = new StructPlace(reader.path, node, entries);
    reader.setPlace(value, place);
    if (check !== undefined && reader.issueCount === before) check(value, place);
    return value;
  };
  return {
    goName,
    // Null is as good as `{}` for those who write it; checks of a section that is not there do not apply.
    zero: decodeParts(members, new Map(), new Reader({ strict: true, dir: '' })) as T,
    decode(node, reader) {
      if (node.kind !== 'mapping') {
        reader.mismatch(node, goName);
        return this.zero;
      }
      return decodeEntries(node, knownEntries(node, keys, goName, reader, options.open ?? false), reader);
    },
    encode: (value) => Object.fromEntries(encodeParts(members, value)),
    isZero: (value) => isZeroStruct(members, value),
  };
}

function knownEntries(
  node: MappingNode,
  keys: ReadonlySet<string>,
  goName: string,
  reader: Reader,
  isOpen: boolean,
): Map<string, MappingEntry> {
  const entries = new Map<string, MappingEntry>();
  for (const entry of node.entries) {
    if (entry.key.kind !== 'scalar') {
      reader.report(entry.key, `invalid map key in type ${goName}`);
      continue;
    }
    const name = entry.key.text;
    reader.within(`.${name}`, () => {
      if (!keys.has(name)) {
        if (reader.options.strict && !isOpen) reader.report(entry.key, `field ${name} not found in type ${goName}`);
      } else if (entries.has(name)) reader.report(entry.key, `field ${name} already set in type ${goName}`);
      else entries.set(name, entry);
    });
  }
  return entries;
}

type Member = readonly [name: string, part: Part<unknown>];

function partsOf<T extends object>(parts: PartsOf<T>): readonly Member[] {
  return Object.entries<Part<unknown>>(parts as Record<string, Part<unknown>>);
}

function decodeParts(
  members: readonly Member[],
  entries: ReadonlyMap<string, MappingEntry>,
  reader: Reader,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(members.map(([name, part]) => [name, part.decode(entries, reader)]));
}

function encodeParts(members: readonly Member[], value: object): readonly (readonly [string, Plain])[] {
  const properties: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  return members.flatMap(([name, part]) => part.encode(properties.get(name)));
}

function isZeroStruct(members: readonly Member[], value: object): boolean {
  const properties: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  return members.every(([name, part]) => part.isZero(properties.get(name)));
}

/** A value or null: a pointer in Go. */
export function optional<T>(type: Type<T>): Type<T | null> {
  return {
    goName: type.goName,
    zero: null,
    decode: (node, reader) => type.decode(node, reader),
    encode: (value) => (value === null ? null : type.encode(value)),
    isZero: (value) => value === null,
  };
}

/** @param nullItem ends the reading where an item is null; else a null item is the item type's zero */
export function list<T>(
  type: Type<T>,
  options: { readonly goName?: string; readonly nullItem?: string } = {},
): Type<readonly T[]> {
  const goName = options.goName ?? `[]${type.goName}`;
  return {
    goName,
    zero: [],
    decode(node, reader) {
      if (node.kind !== 'sequence') {
        reader.mismatch(node, goName);
        return [];
      }
      return node.items.map((item, i) =>
        reader.within(`[${i}]`, () => {
          if (options.nullItem !== undefined && isNullNode(item)) reader.fail(item, options.nullItem);
          return reader.decode(type, item);
        }),
      );
    },
    encode: (value) => value.map((item) => type.encode(item)),
    isZero: (value) => value.length === 0,
  };
}

/** Any keys, all of one type; printed in the order of their names. */
export function map<T>(type: Type<T>, checkKey?: (key: string) => string | null): Type<ReadonlyMap<string, T>> {
  const goName = `map[string]${type.goName}`;
  return {
    goName,
    zero: new Map(),
    decode(node, reader) {
      const values = new Map<string, T>();
      if (node.kind !== 'mapping') {
        reader.mismatch(node, goName);
        return values;
      }
      for (const { key, value } of node.entries) {
        const name = reader.decode(STRING, key);
        reader.within(`.${name}`, () => {
          const fault = checkKey?.(name) ?? null;
          if (fault !== null) reader.fail(key, fault);
          if (values.has(name)) reader.report(key, `key ${quote(name)} already set in map`);
          values.set(name, reader.decode(type, value));
        });
      }
      return values;
    },
    encode: (value) =>
      Object.fromEntries(
        [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, type.encode(item)]),
      ),
    isZero: (value) => value.size === 0,
  };
}

/** Text of any form: numbers and words like `yes` are taken as they are written. */
export const STRING: Type<string> = {
  goName: 'string',
  zero: '',
  decode(node, reader) {
    if (node.kind !== 'scalar') {
      reader.mismatch(node, 'string');
      return '';
    }
    if (node.tag !== '!!binary') return node.text;
    return decodeBinary(node.text) ?? reader.fail(node, 'yaml: !!binary value contains invalid base64 data');
  },
  encode: (value) => value,
  isZero: (value) => value === '',
};

/** Text that the printed configuration hides. */
export const SECRET: Type<string> = {
  ...STRING,
  goName: 'config.Secret',
  encode: (value) => (value === '' ? '' : '<secret>'),
};

export const BOOL: Type<boolean> = {
  goName: 'bool',
  zero: false,
  decode(node, reader) {
    const scalar = node.kind === 'scalar' ? resolveScalar(node) : null;
    if (scalar?.tag === '!!bool') return scalar.value;
    reader.mismatch(node, 'bool');
    return false;
  },
  encode: (value) => value,
  isZero: (value) => !value,
};

export const INT = integer('int', Number.MIN_SAFE_INTEGER);
export const UINT = integer('uint', 0);

function integer(goName: string, min: number): Type<number> {
  return {
    goName,
    zero: 0,
    decode(node, reader) {
      const scalar = node.kind === 'scalar' ? resolveScalar(node) : null;
      const isNumber = scalar?.tag === '!!int' || scalar?.tag === '!!float';
      if (isNumber && Number.isSafeInteger(scalar.value) && scalar.value >= min) return scalar.value;
      reader.mismatch(node, goName);
      return 0;
    },
    encode: (value) => value,
    isZero: (value) => value === 0,
  };
}

export const FLOAT: Type<number> = {
  goName: 'float64',
  zero: 0,
  decode(node, reader) {
    const scalar = node.kind === 'scalar' ? resolveScalar(node) : null;
    if (scalar?.tag === '!!int' || scalar?.tag === '!!float') return scalar.value;
    reader.mismatch(node, 'float64');
    return 0;
  },
  encode: (value) => value,
  isZero: (value) => value === 0,
};

/** Text that stands for a value. `parse` throws an Error whose message ends the reading. */
export function parsed<T>(options: {
  readonly goName: string;
  readonly zero: T;
  readonly parse: (text: string) => T;
  readonly format: (value: T) => string;
}): Type<T> {
  const { goName, zero, parse, format } = options;
  return {
    goName,
    zero,
    decode(node, reader) {
      const before = reader.issueCount;
      const text = STRING.decode(node, reader);
      if (reader.issueCount > before) return zero;
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return reader.fail(node, error.message, error);
      }
    },
    encode: format,
    isZero: (value) => value === zero,
  };
}

/** One of a few words. Null is `zero`. */
export function oneOf<T extends string>(
  goName: string,
  words: readonly T[],
  zero: T,
  complaint: (text: string) => string,
): Type<T> {
  return parsed({
    goName,
    zero,
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new Error(complaint(text));
      return word;
    },
    format: (value) => value,
  });
}

/** `!!str `abc`` with long text cut, `!!seq`, `!!map`. */
function describeNode(node: YamlNode): string {
  if (node.kind !== 'scalar') return node.tag !== '' ? node.tag : node.kind === 'sequence' ? '!!seq' : '!!map';
  const tag = node.tag !== '' && node.tag !== '!' ? node.tag : resolveScalar(node).tag;
  return `${tag} \`${node.text.length > 10 ? `${node.text.slice(0, 7)}...` : node.text}\``;
}
