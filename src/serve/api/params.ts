/**
 * Request parameters: form fields from body and query string, read with the checks and words of Prometheus.
 *
 * Fields of the body come before those of the query string and the first value of a name counts, as in Go's net/http.
 * Pairs that can't be decoded are left out rather than refused, also as there.
 */
import { unescape } from 'node:querystring';
import { quote } from '../../core/model/labels.ts';
import { ApiError } from './backend.ts';
import { parseDurationParam, parseTime } from './time.ts';

/** Most fields in one request. */
export const MAX_FORM_FIELDS = 10_000;

/** Most steps of a range query between start and end. */
export const MAX_RANGE_STEPS = 11_000;

const BROKEN_ESCAPE = /%(?![\da-f]{2})/i;

export class FormParams {
  readonly #fields = new Map<string, string[]>();
  #count = 0;

  /** Adds the pairs of an urlencoded text. @throws ApiError past MAX_FORM_FIELDS */
  addForm(text: string): void {
    if (text === '') return;
    for (const pair of text.split('&')) {
      if (pair === '' || pair.includes(';')) continue;
      const equals = pair.indexOf('=');
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
      if (name === undefined || value === undefined) continue;
      this.addField(name, value);
    }
  }

  /** @throws ApiError past MAX_FORM_FIELDS */
  addField(name: string, value: string): void {
    if (++this.#count > MAX_FORM_FIELDS)
      throw new ApiError('bad_data', `request has more than ${MAX_FORM_FIELDS} form fields`);
    const values = this.#fields.get(name);
    if (values) values.push(value);
    else this.#fields.set(name, [value]);
  }

  /** The first value of `name`, '' where there is none. */
  get(name: string): string {
    return this.#fields.get(name)?.[0] ?? '';
  }

  all(name: string): readonly string[] {
    return this.#fields.get(name) ?? [];
  }

  /** A time that must be there. */
  time(name: string): number {
    return checked(name, () => parseTime(this.get(name)));
  }

  /** A time, or `absentMs` where the parameter is missing or empty. */
  timeOr(name: string, absentMs: number): number {
    const text = this.get(name);
    if (text === '') return absentMs;
    return checked(name, () => {
      try {
        return parseTime(text);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw new ApiError('bad_data', `Invalid time value for '${name}': ${error.message}`, error);
      }
    });
  }

  /** Milliseconds of a duration that must be there. */
  duration(name: string): number {
    return checked(name, () => parseDurationParam(this.get(name)));
  }

  /** `limit`: 0 where it is missing, which means no limit. */
  limit(): number {
    const text = this.get('limit');
    if (text === '') return 0;
    return checked('limit', () => {
      const limit = integer(text);
      if (limit === undefined) throw new ApiError('bad_data', `strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
      if (limit < 0) throw new ApiError('bad_data', 'limit must be non-negative');
      return limit;
    });
  }
}

/** A decimal integer that a float holds exactly, else undefined. */
export function integer(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Runs `read`; an ApiError gets the parameter's name in front, with the type kept. */
export function checked<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(error.errorType, `invalid parameter "${name}": ${error.message}`, error);
  }
}

/** Start, end and step of a range query, checked against each other. */
export function rangeParams(params: FormParams): { startMs: number; endMs: number; stepMs: number } {
  const startMs = params.time('start');
  const endMs = params.time('end');
  if (endMs < startMs)
    throw new ApiError('bad_data', 'invalid parameter "end": end timestamp must not be before start time');
  const exactStepMs = params.duration('step');
  if (exactStepMs <= 0) {
    throw new ApiError(
      'bad_data',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  // Before rounding, so that a step below a millisecond is refused for its resolution.
  if (Math.floor((endMs - startMs) / exactStepMs) > MAX_RANGE_STEPS) {
    throw new ApiError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs: Math.max(1, Math.trunc(exactStepMs)) };
}

/** @returns undefined where a `%` begins no escape. Bytes that are no UTF-8 become U+FFFD. */
function decode(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return BROKEN_ESCAPE.test(spaced) ? undefined : unescape(spaced);
}
