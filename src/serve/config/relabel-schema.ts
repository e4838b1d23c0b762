/**
 * Relabelling rules.
 *
 * Which names are legal depends on a job's validation scheme, which is known only after the rule was read; the sections
 * that hold rules check them by `checkRelabelRules`.
 */
import { compileRegex } from '../../core/model/matcher.ts';
import {
  DEFAULT_RELABEL_CONFIG,
  RELABEL_ACTIONS,
  relabelFault,
  type NameValidationScheme,
  type RelabelAction,
  type RelabelConfig,
} from '../../core/model/relabel.ts';
import {
  field,
  list,
  parsed,
  shownField,
  STRING,
  struct,
  UINT,
  type Reader,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { LABEL_NAME } from '../../core/model/yaml/values.ts';

/** '' is null, which no rule may have. */
const ACTION: Type<RelabelAction | ''> = parsed<RelabelAction | ''>({
  goName: 'relabel.Action',
  zero: '',
  parse(text) {
    const action = RELABEL_ACTIONS.find((known) => known === text.toLowerCase());
    if (action === undefined) throw new Error(`unknown relabel action ${JSON.stringify(text)}`);
    return action;
  },
  format: (action) => action,
});

const REGEX: Type<string> = parsed({
  goName: 'relabel.Regexp',
  zero: '',
  parse(text) {
    compileRegex(text);
    return text;
  },
  format: (regex) => regex,
});

interface WrittenRule extends Omit<RelabelConfig, 'action'> {
  readonly action: RelabelAction | '';
}

const WRITTEN = struct<WrittenRule>(
  'relabel.plain',
  {
    sourceLabels: field('source_labels', list(LABEL_NAME)),
    separator: shownField('separator', STRING, DEFAULT_RELABEL_CONFIG.separator),
    regex: shownField('regex', REGEX, DEFAULT_RELABEL_CONFIG.regex),
    modulus: field('modulus', UINT),
    targetLabel: field('target_label', STRING),
    replacement: shownField('replacement', STRING, DEFAULT_RELABEL_CONFIG.replacement),
    action: shownField('action', ACTION, DEFAULT_RELABEL_CONFIG.action),
  },
  (rule, place) => {
    if (rule.action === '') place.fail('action', 'relabel action cannot be empty');
  },
);

const RULE: Type<RelabelConfig> = {
  ...WRITTEN,
  zero: DEFAULT_RELABEL_CONFIG,
  decode(node, reader) {
    const written = WRITTEN.decode(node, reader);
    const rule: RelabelConfig = {
      ...written,
      action: written.action === '' ? DEFAULT_RELABEL_CONFIG.action : written.action,
    };
    reader.setPlace(rule, reader.placeOf(written));
    return rule;
  },
};

/** @param nullItem what Prometheus says of an empty rule in this section */
export function relabelRules(nullItem: string): Type<readonly RelabelConfig[]> {
  return list(RULE, { goName: '[]*relabel.Config', nullItem });
}

const KEYS: Readonly<Record<keyof RelabelConfig, string>> = {
  action: 'action',
  sourceLabels: 'source_labels',
  separator: 'separator',
  regex: 'regex',
  modulus: 'modulus',
  targetLabel: 'target_label',
  replacement: 'replacement',
};

/** @throws ConfigError at the first rule that means nothing */
export function checkRelabelRules(rules: readonly RelabelConfig[], names: NameValidationScheme, reader: Reader): void {
  for (const rule of rules) {
    const fault = relabelFault(rule, names);
    if (fault !== null) reader.placeOf(rule).fail(KEYS[fault.field], fault.message);
  }
}
