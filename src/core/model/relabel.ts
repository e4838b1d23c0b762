/**
 * Relabelling: rules that rewrite, keep or drop label sets, for targets before a scrape and for samples after it.
 *
 * A rule is compiled once; applying it to labels that it does not change allocates nothing.
 * Source: Prometheus, configuration "relabel_config"; model/relabel.
 */
import { unreachable } from '../base/assert.ts';
import { md5 } from '../bytes/md5.ts';
import { compileCapturingRegex, parseTemplate, type CapturingRegex, type Template } from './capturing-regex.ts';
import { isLegacyLabelName, labelsFromPairs, labelValue, withLabel, type Labels } from './labels.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** Which label and metric names are legal: any UTF-8, or the classic characters. */
export type NameValidationScheme = 'utf8' | 'legacy';

export interface RelabelConfig {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: string;
  /** For hashmod; at most Number.MAX_SAFE_INTEGER. */
  readonly modulus: number;
  readonly targetLabel: string;
  readonly replacement: string;
}

export const DEFAULT_RELABEL_CONFIG: RelabelConfig = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
};

/** A rule ready to apply: the labels after it, or null where it drops them. */
export type RelabelRule = (labels: Labels) => Labels | null;

/** Applies `rules` in order. @returns null once a rule drops the labels */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | null {
  let current: Labels | null = labels;
  for (const rule of rules) {
    current = rule(current);
    if (current === null) return null;
  }
  return current;
}

/** `config` has passed `relabelFault`. @throws RegexError */
export function compileRelabel(config: RelabelConfig, names: NameValidationScheme = 'utf8'): RelabelRule {
  const { action, sourceLabels, separator, targetLabel } = config;
  const joined = (labels: Labels): string => joinValues(labels, sourceLabels, separator);
  const regex = compileCapturingRegex(config.regex);
  switch (action) {
    case 'replace':
      return compileReplace(config, regex, names);
    case 'keep':
      return (labels) => (regex.matches(joined(labels)) ? labels : null);
    case 'drop':
      return (labels) => (regex.matches(joined(labels)) ? null : labels);
    case 'keepequal':
      return (labels) => (joined(labels) === labelValue(labels, targetLabel) ? labels : null);
    case 'dropequal':
      return (labels) => (joined(labels) === labelValue(labels, targetLabel) ? null : labels);
    case 'hashmod':
      return (labels) => set(labels, targetLabel, String(hashMod(joined(labels), config.modulus)));
    case 'lowercase':
      return (labels) =>
        set(
          labels,
          targetLabel,
          mapCharacters(joined(labels), (text) => text.toLowerCase()),
        );
    case 'uppercase':
      return (labels) =>
        set(
          labels,
          targetLabel,
          mapCharacters(joined(labels), (text) => text.toUpperCase()),
        );
    case 'labelmap':
      return compileLabelMap(parseTemplate(config.replacement), regex);
    case 'labeldrop':
      return (labels) => keepNames(labels, (name) => !regex.matches(name));
    case 'labelkeep':
      return (labels) => keepNames(labels, (name) => regex.matches(name));
    default:
      return unreachable(action);
  }
}

/**
 * What makes `config` no valid rule, with the field at fault; null where it is one. The regular expression is not looked at.
 */
export function relabelFault(
  config: RelabelConfig,
  names: NameValidationScheme = 'utf8',
): { field: keyof RelabelConfig; message: string } | null {
  const { action, modulus, targetLabel, replacement } = config;
  const fault = (field: keyof RelabelConfig, message: string) => ({ field, message });
  if (action === 'hashmod' && modulus === 0)
    return fault('modulus', 'relabel configuration for hashmod requires non-zero modulus');
  if (NEEDS_TARGET.has(action) && targetLabel === '') {
    return fault('targetLabel', `relabel configuration for ${action} action requires 'target_label' value`);
  }
  if (NEEDS_TARGET.has(action) && !isLabelNameOrTemplate(targetLabel, names, action === 'replace')) {
    return fault('targetLabel', `${JSON.stringify(targetLabel)} is invalid 'target_label' for ${action} action`);
  }
  if (NO_REPLACEMENT.has(action) && replacement !== DEFAULT_RELABEL_CONFIG.replacement) {
    return fault('replacement', `'replacement' can not be set for ${action} action`);
  }
  if (action === 'labelmap' && !isLabelNameOrTemplate(replacement, names, true)) {
    return fault('replacement', `${JSON.stringify(replacement)} is invalid 'replacement' for ${action} action`);
  }
  const allowed = ONLY_FIELDS[action];
  const extra =
    allowed === undefined
      ? undefined
      : RULE_FIELDS.find((field) => !allowed.fields.includes(field) && !isDefault(config, field));
  return allowed === undefined || extra === undefined
    ? null
    : fault(extra, `${action} action requires only ${allowed.shown}, and no other fields`);
}

/** A classic label name in which references to groups may stand for characters. */
const CLASSIC_TEMPLATE = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w))(?:\w|\$(?:\{\w+\}|\w))*$/;
const NEEDS_TARGET: ReadonlySet<RelabelAction> = new Set([
  'replace',
  'hashmod',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
]);
const NO_REPLACEMENT: ReadonlySet<RelabelAction> = new Set(['lowercase', 'uppercase', 'keepequal', 'dropequal']);
const RULE_FIELDS = ['sourceLabels', 'targetLabel', 'regex', 'modulus', 'separator', 'replacement'] as const;
const EQUALITY = { fields: ['sourceLabels', 'targetLabel'], shown: "'source_labels' and `target_label`" };
const BY_NAME = { fields: ['regex'], shown: "'regex'" };
const ONLY_FIELDS: Partial<Record<RelabelAction, { readonly fields: readonly string[]; readonly shown: string }>> = {
  keepequal: EQUALITY,
  dropequal: EQUALITY,
  labeldrop: BY_NAME,
  labelkeep: BY_NAME,
};

function isDefault(config: RelabelConfig, field: (typeof RULE_FIELDS)[number]): boolean {
  return field === 'sourceLabels' ? config.sourceLabels.length === 0 : config[field] === DEFAULT_RELABEL_CONFIG[field];
}

function isLabelNameOrTemplate(text: string, names: NameValidationScheme, templated: boolean): boolean {
  if (names === 'utf8') return isLabelName(text, names);
  return templated && text.includes('$') ? CLASSIC_TEMPLATE.test(text) : isLegacyLabelName(text);
}

/** Whether `name` may name a label. */
export function isLabelName(name: string, names: NameValidationScheme): boolean {
  return names === 'legacy' ? isLegacyLabelName(name) : name !== '' && name.isWellFormed();
}

function compileReplace(config: RelabelConfig, regex: CapturingRegex, names: NameValidationScheme): RelabelRule {
  const target = parseTemplate(config.targetLabel);
  const replacement = parseTemplate(config.replacement);
  const fixedTarget = target.text;
  const { sourceLabels, separator } = config;
  if (fixedTarget !== null) {
    return (labels) => {
      const filled = regex.expand(joinValues(labels, sourceLabels, separator), [replacement]);
      return filled === null ? labels : set(labels, fixedTarget, filled[0]!);
    };
  }
  return (labels) => {
    const filled = regex.expand(joinValues(labels, sourceLabels, separator), [target, replacement]);
    if (filled === null || !isLabelName(filled[0]!, names)) return labels;
    return set(labels, filled[0]!, filled[1]!);
  };
}

function compileLabelMap(replacement: Template, regex: CapturingRegex): RelabelRule {
  return (labels) => {
    let changed = labels;
    for (let i = 0; i < labels.length; i += 2) {
      const filled = regex.expand(labels[i]!, [replacement]);
      if (filled !== null) changed = set(changed, filled[0]!, labels[i + 1]!);
    }
    return changed;
  };
}

function joinValues(labels: Labels, names: readonly string[], separator: string): string {
  let out = '';
  for (let i = 0; i < names.length; i++) out += (i === 0 ? '' : separator) + labelValue(labels, names[i]!);
  return out;
}

/** An empty name can't be a label: such a change is none. */
function set(labels: Labels, name: string, value: string): Labels {
  return name === '' || labelValue(labels, name) === value ? labels : withLabel(labels, name, value);
}

function keepNames(labels: Labels, keeps: (name: string) => boolean): Labels {
  const pairs: [string, string][] = [];
  for (let i = 0; i < labels.length; i += 2) if (keeps(labels[i]!)) pairs.push([labels[i]!, labels[i + 1]!]);
  return pairs.length * 2 === labels.length ? labels : labelsFromPairs(pairs);
}

const encoder = new TextEncoder();

/** The last 8 bytes of the MD5 digest as a big-endian number, modulo `modulus`. */
function hashMod(text: string, modulus: number): number {
  const digest = md5(encoder.encode(text));
  return Number(new DataView(digest.buffer).getBigUint64(8) % BigInt(modulus));
}

/** Character by character as Go does: no mapping depends on neighbours or turns one character into several. */
function mapCharacters(text: string, map: (text: string) => string): string {
  if (/^[\0-\x7f]*$/.test(text)) return map(text);
  let out = '';
  for (const character of text) {
    const mapped = map(character);
    out += Array.from(mapped).length === 1 ? mapped : character;
  }
  return out;
}
