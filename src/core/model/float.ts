/**
 * Floats as text, the way Go prints and parses them: sample values in JSON, exposition and messages.
 */

/**
 * The shortest digits that read back as the same float, decimal between 1e-6 and 1e21, else with an exponent of at least
 * two digits: Go's `strconv.FormatFloat(v, 'f' or 'e', -1, 64)` as Prometheus' JSON and text formats choose it.
 */
export function formatFloat(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const text = String(value);
  const e = text.indexOf('e');
  // JavaScript switches to exponents at the same magnitudes as Go; only the exponent's leading zero differs.
  if (e < 0 || text.length - e > 3) return text;
  return `${text.slice(0, e + 2)}0${text.slice(e + 2)}`;
}

/** The shortest digits, with an exponent below 1e-4 and from 1e6 on: Go's `%g`, which text formats and messages use. */
export function formatG(value: number): string {
  const magnitude = Math.abs(value);
  if (value === 0 || (magnitude >= 1e-4 && magnitude < 1e6) || !Number.isFinite(value)) return formatFloat(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]!}${exponent.slice(1).padStart(2, '0')}`;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX = /^[+-]?0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?$/;

/**
 * Reads a float as the text formats allow: decimal, `Inf`, `Infinity`, `NaN` in any case, with a sign before the first two.
 * No underscores, no hexadecimal. Every NaN is the ordinary one. @returns undefined if `text` is no float
 */
export function parseFloatText(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  switch (text.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** Whether `text` is a hexadecimal float or integer, which text formats refuse and PromQL takes (integers only). */
export const isHexNumber = (text: string): boolean => HEX.test(text);
