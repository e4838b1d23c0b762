/**
 * The signatures of PromQL's functions: what the parser checks calls against.
 * Source: Prometheus, "Query functions", version 3.14.
 */
import type { ValueType } from './ast.ts';

export interface Signature {
  readonly name: string;
  readonly argTypes: readonly ValueType[];
  /**
   * 0: exactly `argTypes`. n > 0: the last argument may be left out, and there may be n − 1 more like it.
   * −1: the last argument may stand any number of times, none included.
   */
  readonly variadic: number;
  readonly returnType: ValueType;
  /** The feature without which the function is refused. */
  readonly feature: 'experimentalFunctions' | 'startTimestamps' | null;
}

const TYPES: Readonly<Record<string, ValueType>> = { v: 'vector', m: 'matrix', s: 'scalar', t: 'string' };

/** `name(types)`, a letter a type; `?` after the last: optional; `*`: any number; `+n`: n more optional ones. */
const TO_VECTOR = [
  'abs(v) absent(v) absent_over_time(m) acos(v) acosh(v) asin(v) asinh(v) atan(v) atanh(v) avg_over_time(m) ceil(v)',
  'changes(m) clamp(vss) clamp_max(vs) clamp_min(vs) cos(v) cosh(v) count_over_time(m) day_of_month(v?) day_of_week(v?)',
  'day_of_year(v?) days_in_month(v?) deg(v) delta(m) deriv(m) exp(v) first_over_time(m) floor(v) histogram_avg(v)',
  'histogram_count(v) histogram_fraction(ssv) histogram_quantile(sv) histogram_stddev(v) histogram_stdvar(v)',
  'histogram_sum(v) hour(v?) idelta(m) increase(m) irate(m) label_join(vttt*) label_replace(vtttt) last_over_time(m) ln(v)',
  'log10(v) log2(v) max_over_time(m) min_over_time(m) minute(v?) month(v?) predict_linear(ms) present_over_time(m)',
  'quantile_over_time(sm) rad(v) rate(m) resets(m) round(vs?) sgn(v) sin(v) sinh(v) sort(v) sort_desc(v) sqrt(v)',
  'stddev_over_time(m) stdvar_over_time(m) sum_over_time(m) tan(v) tanh(v) timestamp(v) vector(s) year(v?)',
];
const TO_SCALAR = ['pi() scalar(v) time()'];
const EXPERIMENTAL_TO_VECTOR = [
  'double_exponential_smoothing(mss) histogram_quantiles(vtss+9) info(vv?) mad_over_time(m) sort_by_label(vt*)',
  'sort_by_label_desc(vt*) ts_of_first_over_time(m) ts_of_last_over_time(m) ts_of_max_over_time(m) ts_of_min_over_time(m)',
];
const EXPERIMENTAL_TO_SCALAR = ['end() max_of(ss) min_of(ss) range() start() step()'];

const SIGNATURES: ReadonlyMap<string, Signature> = new Map(
  [
    ...read(TO_VECTOR, 'vector', null),
    ...read(TO_SCALAR, 'scalar', null),
    ...read(EXPERIMENTAL_TO_VECTOR, 'vector', 'experimentalFunctions'),
    ...read(EXPERIMENTAL_TO_SCALAR, 'scalar', 'experimentalFunctions'),
    ...read(['start_timestamp(v)'], 'vector', 'startTimestamps'),
  ].map((signature) => [signature.name, signature]),
);

/** The function of that name; names are case-sensitive. */
export const signatureOf = (name: string): Signature | undefined => SIGNATURES.get(name);

/** All functions, sorted by name. */
export const allSignatures = (): readonly Signature[] =>
  [...SIGNATURES.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

function read(lines: readonly string[], returnType: ValueType, feature: Signature['feature']): Signature[] {
  return [...lines.join(' ').matchAll(/(\w+)\((\w*)(\?|\*|\+\d)?\)/g)].map(([, name, letters, repeat]) => ({
    name: name!,
    argTypes: letters!.split('').map((letter) => TYPES[letter]!),
    variadic: variadicOf(repeat),
    returnType,
    feature,
  }));
}

function variadicOf(repeat: string | undefined): number {
  if (repeat === undefined) return 0;
  if (repeat === '*') return -1;
  return repeat === '?' ? 1 : Number(repeat.slice(1));
}
