/**
 * The lints of `check config` and `check rules`: what is allowed and probably not meant.
 */
import { duplicateRules, type RuleGroupConfig } from './rule-file.ts';

export type Lint = 'duplicate-rules' | 'too-long-scrape-interval';
export const DEFAULT_LINT = 'duplicate-rules';

/** @param text comma-separated lints, `all` or `none` @param known those that the command has */
export function chooseLints(
  text: string,
  known: readonly Lint[],
): { readonly lints: ReadonlySet<Lint>; readonly unknown: readonly string[] } {
  const lints = new Set<Lint>();
  const unknown: string[] = [];
  for (const word of text.split(',')) {
    const lint = known.find((name) => name === word);
    if (lint !== undefined) lints.add(lint);
    else if (word === 'all') for (const each of known) lints.add(each);
    else if (word !== 'none') unknown.push(word);
  }
  return { lints, unknown };
}

/** What promtool says of rules whose series overwrite each other; '' where there are none. */
export function duplicatesText(groups: readonly RuleGroupConfig[]): string {
  const duplicates = duplicateRules(groups);
  if (duplicates.length === 0) return '';
  let text = `lint error ${duplicates.length} duplicate rule(s) found.\n`;
  for (const { metric, labels } of duplicates) {
    text += `Metric: ${metric}\nLabel(s):\n`;
    for (let i = 0; i < labels.length; i += 2) text += `\t${labels[i]!}: ${labels[i + 1]!}\n`;
  }
  return `${text}Might cause inconsistency while recording expressions`;
}
