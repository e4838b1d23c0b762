/**
 * What is wrong with a configuration, worded as Prometheus words it, with the place added.
 *
 * A line of Prometheus' message stays as it is, so that people and tools find it; line, column and the path of the field
 * follow in parentheses.
 */

/** One fault and where it stands. */
export interface ConfigIssue {
  /** Prometheus' words, without the place. */
  readonly message: string;
  /** From 1; 0 where the fault has no one place. */
  readonly line: number;
  readonly column: number;
  /** `scrape_configs[0].relabel_configs[2].regex`, or ''. */
  readonly field: string;
}

/** A configuration that can't be used. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly issues: readonly ConfigIssue[];

  /** @param message what Prometheus would print, places included */
  constructor(message: string, issues: readonly ConfigIssue[], cause?: unknown) {
    super(message, { cause });
    this.issues = issues;
  }

  /** The same fault, of `file`. */
  of(file: string): ConfigError {
    return new ConfigError(`parsing YAML file ${file}: ${this.message}`, this.issues, this.cause);
  }
}

/** A value that is of the right type and means nothing: the first one ends the reading. */
export function invalidConfig(issue: ConfigIssue, cause?: unknown): ConfigError {
  const { line, column, field } = issue;
  const place = [line === 0 ? '' : `line ${line}, column ${column}`, field].filter((part) => part !== '').join(', ');
  return new ConfigError(place === '' ? issue.message : `${issue.message} (${place})`, [issue], cause);
}

/** Text that is no YAML. */
export function yamlSyntaxError(message: string, place: { line: number; column: number }): ConfigError {
  return new ConfigError(`yaml: line ${place.line}: ${message} (column ${place.column})`, [
    { message, ...place, field: '' },
  ]);
}

/** Values of wrong types and unknown keys: all of them together. */
export function unmarshalErrors(issues: readonly ConfigIssue[]): ConfigError {
  const lines = issues.map(
    ({ message, line, column, field }) =>
      `  line ${line}: ${message} (column ${column}${field === '' ? '' : `, ${field}`})`,
  );
  return new ConfigError(`yaml: unmarshal errors:\n${lines.join('\n')}`, issues);
}
