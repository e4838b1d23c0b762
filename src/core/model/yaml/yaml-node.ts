/**
 * YAML text as a tree whose nodes know their line and column.
 *
 * The parser gives events with offsets; this file nests them, resolves aliases (an alias is the anchored node itself) and
 * merge keys, and bounds what aliases may blow up. What a scalar means depends on the field that it is for, so scalars stay
 * text here.
 */
import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException, type Event } from 'js-yaml';
import { AssertionError } from '../../base/assert.ts';
import { ConfigError, yamlSyntaxError } from './config-error.ts';

/** Longest text taken, in UTF-16 units. */
export const MAX_YAML_LENGTH = 64 * 1024 * 1024;
/** Nodes that aliases and merge keys may add to those written out. */
export const MAX_ALIASED_NODES = 1_000_000;
const MAX_DEPTH = 100;

interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As written or shortened to `!!str`; '' where there is none. */
  readonly tag: string;
}

export interface ScalarNode extends Place {
  readonly kind: 'scalar';
  readonly text: string;
  /** Without quotes or block indicator, so that its form decides its type. */
  readonly isPlain: boolean;
}

export interface SequenceNode extends Place {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
}

export interface MappingEntry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

export interface MappingNode extends Place {
  readonly kind: 'mapping';
  /** In written order; merged entries last. A key may occur twice. */
  readonly entries: readonly MappingEntry[];
}

export type YamlNode = ScalarNode | SequenceNode | MappingNode;

/** The first document's root; null where the text has no document. @throws ConfigError */
export function parseYaml(text: string): YamlNode | null {
  if (text.length > MAX_YAML_LENGTH)
    throw new ConfigError(`yaml: text is longer than ${MAX_YAML_LENGTH} characters`, []);
  let events: Event[];
  try {
    events = parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw yamlSyntaxError(error.reason, { line: (error.mark?.line ?? 0) + 1, column: (error.mark?.column ?? 0) + 1 });
  }
  return new TreeBuilder(text, events).document();
}

const CORE_TAG_PREFIX = 'tag:yaml.org,2002:';
const MERGE_KEY = '<<';

class TreeBuilder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #lineStarts: readonly number[];
  readonly #anchors = new Map<string, YamlNode | 'open'>();
  /** Nodes under a node, itself and what its aliases stand for included. */
  readonly #sizes = new WeakMap<YamlNode, number>();
  #next = 0;
  #writtenNodes = 0;
  /** End of the last token, the place of a scalar that is not written at all. */
  #lastOffset = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  document(): YamlNode | null {
    if (this.#events.length === 0) return null;
    this.#next = 1;
    if (this.#events[1]!.type === EVENT_ID.POP) return null;
    const root = this.#node();
    if (this.#sizes.get(root)! > this.#writtenNodes + MAX_ALIASED_NODES) {
      throw yamlSyntaxError('document contains excessive aliasing', root);
    }
    return root;
  }

  #node(): YamlNode {
    const event = this.#events[this.#next++]!;
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const offset = event.valueStart < 0 ? this.#lastOffset : event.valueStart;
        this.#lastOffset = Math.max(offset, event.valueEnd);
        const isPlain = event.style === SCALAR_STYLE.PLAIN;
        const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
        const text = event.valueStart < 0 ? '' : getScalarValue(this.#text, event);
        const node: ScalarNode = {
          kind: 'scalar',
          ...this.#place(isQuoted ? offset - 1 : offset, event),
          text,
          isPlain,
        };
        return this.#finish(node, event, 1);
      }
      case EVENT_ID.SEQUENCE: {
        this.#open(event);
        const items: YamlNode[] = [];
        const place = this.#place(event.start, event);
        while (this.#events[this.#next]!.type !== EVENT_ID.POP) items.push(this.#node());
        this.#next++;
        return this.#finish({ kind: 'sequence', ...place, items }, event, this.#sizeOf(items));
      }
      case EVENT_ID.MAPPING: {
        this.#open(event);
        const place = this.#place(event.start, event);
        const entries: MappingEntry[] = [];
        while (this.#events[this.#next]!.type !== EVENT_ID.POP)
          entries.push({ key: this.#node(), value: this.#node() });
        this.#next++;
        const size = this.#sizeOf(entries.flatMap(({ key, value }) => [key, value]));
        return this.#finish({ kind: 'mapping', ...place, entries: mergeEntries(entries) }, event, size);
      }
      case EVENT_ID.ALIAS: {
        const name = this.#text.slice(event.anchorStart, event.anchorEnd);
        const target = this.#anchors.get(name);
        const { line, column } = this.#position(event.anchorStart);
        if (target === undefined) throw yamlSyntaxError(`unknown anchor '${name}' referenced`, { line, column });
        if (target === 'open') throw yamlSyntaxError(`anchor '${name}' value contains itself`, { line, column });
        return target;
      }
      default:
        throw new AssertionError('the parser opens a node only by these events');
    }
  }

  #open(event: { anchorStart: number; anchorEnd: number }): void {
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), 'open');
  }

  #finish<T extends YamlNode>(node: T, event: { anchorStart: number; anchorEnd: number }, size: number): T {
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), node);
    this.#sizes.set(node, size);
    this.#writtenNodes++;
    return node;
  }

  #sizeOf(children: readonly YamlNode[]): number {
    return children.reduce((sum, child) => sum + this.#sizes.get(child)!, 1);
  }

  #place(offset: number, event: { tagStart: number; tagEnd: number }): Place {
    const tag = event.tagStart < 0 ? '' : this.#text.slice(event.tagStart, event.tagEnd);
    return { ...this.#position(offset), tag: tag.replace(/^!<(.*)>$/, '$1').replace(CORE_TAG_PREFIX, '!!') };
  }

  #position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#lineStarts[low]! + 1 };
  }
}

/** Entries of merged mappings follow; a key that is written here, or merged before, keeps its value. */
function mergeEntries(entries: readonly MappingEntry[]): readonly MappingEntry[] {
  if (!entries.some(isMerge)) return entries;
  const own = entries.filter((entry) => !isMerge(entry));
  const seen = new Set(own.map(({ key }) => keyText(key)));
  for (const { value } of entries.filter(isMerge)) {
    for (const source of value.kind === 'sequence' ? value.items : [value]) {
      if (source.kind !== 'mapping')
        throw yamlSyntaxError('map merge requires map or sequence of maps as the value', source);
      for (const entry of source.entries) {
        if (seen.has(keyText(entry.key))) continue;
        seen.add(keyText(entry.key));
        own.push(entry);
      }
    }
  }
  return own;
}

function isMerge({ key }: MappingEntry): boolean {
  return (
    key.kind === 'scalar' &&
    key.text === MERGE_KEY &&
    (key.isPlain ? key.tag === '' || key.tag === '!!merge' : key.tag === '!!merge')
  );
}

/** Equal exactly for scalars of the same text; other keys are never equal. */
function keyText(key: YamlNode): string | YamlNode {
  return key.kind === 'scalar' ? key.text : key;
}
