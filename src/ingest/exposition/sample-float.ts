/**
 * Floats in exposed text: what may stand there, and how values, bucket bounds and quantiles are written.
 */
import { formatG, parseFloatText } from '../../core/model/float.ts';
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

/** A value as the text format writes it: both zeros alike. */
export const formatTextFloat = (value: number): string => (value === 0 ? '0' : formatG(value));

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
