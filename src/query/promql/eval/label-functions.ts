/**
 * label_replace and label_join: from the string arguments to a change of labels.
 */
import { labelValue, quote, withLabel, type Labels } from '../../../core/model/labels.ts';
import { compileCapturingRegex, parseTemplate } from '../../../core/model/capturing-regex.ts';
import { RegexError } from '../../../core/model/matcher.ts';
import { PromqlEvaluationError } from '../errors.ts';

type Rewrite = (labels: Labels) => Labels;

/** @param args destination label, replacement, source label, regular expression */
export function replaceLabels(args: readonly string[]): Rewrite {
  const [target, replacement, source, pattern] = args as [string, string, string, string];
  checkName(target, 'label_replace');
  let regex: ReturnType<typeof compileCapturingRegex>;
  try {
    regex = compileCapturingRegex(pattern);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new PromqlEvaluationError(`invalid regular expression in label_replace(): ${pattern}`, { cause: error });
  }
  const template = parseTemplate(replacement);
  return (labels) => {
    const expanded = regex.expand(labelValue(labels, source), [template]);
    return expanded === null ? labels : withLabel(labels, target, expanded[0]!);
  };
}

/** @param args destination label, separator, source labels */
export function joinLabels(args: readonly string[]): Rewrite {
  const [target, separator, ...sources] = args as [string, string, ...string[]];
  checkName(target, 'label_join');
  for (const source of sources) if (source === '') throw new PromqlEvaluationError(`invalid source label name in label_join(): ${source}`);
  return (labels) => withLabel(labels, target, sources.map((source) => labelValue(labels, source)).join(separator));
}

/** Any UTF-8 is a label name since Prometheus 3, as long as there is some. */
function checkName(name: string, func: string): void {
  if (name === '' || !name.isWellFormed()) throw new PromqlEvaluationError(`invalid destination label name in ${func}(): ${name === '' ? '' : quote(name)}`);
}
