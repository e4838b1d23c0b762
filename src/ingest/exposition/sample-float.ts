/**
 * Floats in exposed text: what may stand there, and how values, bucket bounds and quantiles are written.
 */
import { parseFloatText } from '../../core/model/float.ts';
import { quote } from '../../core/model/labels.ts';

/** Reads a sample's value. @returns the reason, in Go's words, where `text` is none */
export function parseSampleFloat(text: string): number | string {
  if (/[pP_]/.test(text)) return 'unsupported character in float';
  const value = parseFloatText(text);
  if (value === undefined) return `strconv.ParseFloat: parsing ${quoteShort(text)}: invalid syntax`;
  if (isOverflow(value, text)) return `strconv.ParseFloat: parsing ${quoteShort(text)}: value out of range`;
  return value;
}

/** Digits that stand for more than a float holds. */
const isOverflow = (value: number, text: string): boolean => !Number.isFinite(value) && /\d/.test(text);

const MAX_QUOTED = 64;

/** For messages: long texts are cut. */
export const quoteShort = (text: string): string => quote(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);

/** The shortest digits, with an exponent below 1e-04 and from 1e+06: Go's 'g' format, as the text format writes values. */
export function formatTextFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]!}${exponent.slice(1).padStart(2, '0')}`;
}

/** As `formatTextFloat`, always with a point or an exponent. */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatTextFloat(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** A bucket bound or quantile in its normal form; texts that are no float stay as they are. */
export function normalizeBound(text: string): string {
  const value = parseFloatText(text);
  return value === undefined || isOverflow(value, text) ? text : formatOpenMetricsFloat(value);
}
