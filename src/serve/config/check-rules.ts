/**
 * `coeus check rules`: rule files alone, in promtool's words and with its exit codes.
 */
import { readFile } from 'node:fs/promises';
import { errorMessage } from '../../core/base/errors.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import type { CheckOutcome } from './check-config.ts';
import { parseRuleFile } from './rule-file.ts';
import { chooseLints, DEFAULT_LINT, duplicatesText } from './rule-lints.ts';

const OK = 0;
const FAILURE = 1;
const LINT_FAILURE = 3;

export interface CheckRulesOptions {
  /** Comma-separated lints; `duplicate-rules` where absent. */
  readonly lint?: string;
  /** Findings of lints fail with their own exit code. */
  readonly lintFatal?: boolean;
  readonly ignoreUnknownFields?: boolean;
}

/** A rule file, or what was piped in. */
export interface RuleText {
  /** As messages call it. */
  readonly name: string;
  readonly read: () => Promise<string>;
}

export const ruleFile = (path: string): RuleText => ({ name: path, read: () => readFile(path, 'utf8') });

/** Checks each; one that can't be used does not keep the others from being checked. */
export async function checkRules(texts: readonly RuleText[], options: CheckRulesOptions = {}): Promise<CheckOutcome> {
  const { lints, unknown } = chooseLints(options.lint ?? DEFAULT_LINT, ['duplicate-rules']);
  let stdout = unknown.map((word) => `WARNING: unknown lint option ${word}\n`).join('');
  let stderr = '';
  let hasErrors = false;
  let hasFindings = false;
  for (const { name, read } of texts) {
    stdout += `Checking ${name}\n`;
    try {
      const groups = parseRuleFile(await read(), { ignoreUnknownFields: options.ignoreUnknownFields === true });
      const duplicates = lints.has('duplicate-rules') ? duplicatesText(groups) : '';
      if (duplicates === '') {
        stdout += `  SUCCESS: ${groups.reduce((sum, group) => sum + group.rules.length, 0)} rules found\n`;
      } else {
        stderr += `  FAILED:\n${duplicates}\n`;
        hasFindings = true;
      }
    } catch (error) {
      if (!(error instanceof ConfigError) && !(error instanceof Error && 'code' in error)) throw error;
      stderr += `  FAILED:\n${name}: ${errorMessage(error)}\n`;
      hasErrors = true;
    }
    stdout += '\n';
  }
  const exitCode = hasErrors ? FAILURE : hasFindings && options.lintFatal === true ? LINT_FAILURE : OK;
  return { exitCode, stdout, stderr };
}
