/**
 * Regular expressions whose groups go into a template: `$1`, `${name}`, as relabelling and `label_replace` use them.
 *
 * `compileRegex` decides validity and whether a text matches; re2js is asked for groups only after that, and only if the
 * template refers to any.
 * Source: Go, regexp.Expand; Prometheus, model/relabel.
 */
import { RE2JS } from 're2js';
import { assert } from '../base/assert.ts';
import { compileRegex, type AnchoredRegex } from './matcher.ts';

/** Literal text, or the name or number of a group. */
type TemplatePart = { readonly literal: string } | { readonly group: string };
export interface Template {
  readonly parts: readonly TemplatePart[];
  /** The whole text where it refers to no group, else null. */
  readonly text: string | null;
}

/** Group numbers past this are names, as in Go. */
const MAX_GROUP_NUMBER = 100_000_000;
const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

/** A `$` that starts no reference stands for itself; `$$` is one `$`. Never fails. */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, bare, braced] = match;
    const group = bare ?? braced;
    parts.push({ literal: text.slice(from, match.index) }, group === undefined ? { literal: '$' } : { group });
    from = match.index + whole.length;
  }
  parts.push({ literal: text.slice(from) });
  const fixed = parts.every((part) => 'literal' in part) ? parts.map((part) => part.literal).join('') : null;
  return { parts, text: fixed };
}

export interface CapturingRegex extends AnchoredRegex {
  /** Templates filled from the groups of the match, in order; null where `text` does not match. */
  readonly expand: (text: string, templates: readonly Template[]) => string[] | null;
}

/** @throws RegexError */
export function compileCapturingRegex(source: string): CapturingRegex {
  const regex = compileRegex(source);
  let program: RE2JS | undefined;
  return {
    ...regex,
    expand(text, templates) {
      if (!regex.matches(text)) return null;
      // `(.*)`, the default, is most of what people write.
      if (source === '(.*)')
        return templates.map(
          (template) => template.text ?? fill(template, (group) => (group === '0' || group === '1' ? text : '')),
        );
      const fixed: string[] = [];
      for (const template of templates) if (template.text !== null) fixed.push(template.text);
      if (fixed.length === templates.length) return fixed;
      program ??= RE2JS.compile(`^(?s:${source})$`);
      const found = program.matcher(text);
      assert(found.find(), 'the two compilations of a regular expression agree');
      const names = program.namedGroups();
      const groupCount = found.groupCount();
      return templates.map((template) =>
        fill(template, (group) => {
          const number = groupNumber(group) ?? names[group];
          return number === undefined || number > groupCount ? '' : (found.group(number) ?? '');
        }),
      );
    },
  };
}

function fill(template: Template, valueOf: (group: string) => string): string {
  let out = '';
  for (const part of template.parts) out += 'literal' in part ? part.literal : valueOf(part.group);
  return out;
}

/** Digits without a leading zero are a number, all else a name. */
function groupNumber(group: string): number | undefined {
  return /^(?:0|[1-9]\d*)$/.test(group) && Number(group) < MAX_GROUP_NUMBER ? Number(group) : undefined;
}
