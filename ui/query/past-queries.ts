/**
 * Which past queries are kept.
 */

export const MAX_PAST_QUERIES = 50;
/** Longer ones are machine-made and would fill the browser's storage. */
export const MAX_REMEMBERED_LENGTH = 10_000;

/** With `expr` first, once, and no more than are kept. */
export function rememberQuery(past: readonly string[], expr: string): readonly string[] {
  const text = expr.trim();
  if (text === '' || text.length > MAX_REMEMBERED_LENGTH) return past;
  return [text, ...past.filter((each) => each !== text)].slice(0, MAX_PAST_QUERIES);
}
