/**
 * From unknown JSON to typed values: the one place where the app trusts nothing about an answer's shape.
 */

/** An answer that is not what the API promises. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError(`${what} is not an object`);
  return value as JsonObject;
}

/** A missing list is an empty one: Go writes `null` for it. */
export function asList<T>(value: unknown, what: string, decode: (item: unknown) => T): T[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new DecodeError(`${what} is not a list`);
  return value.map(decode);
}

export function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new DecodeError(`${what} is not a string`);
  return value;
}

export function asNumber(value: unknown, what: string): number {
  if (typeof value !== 'number') throw new DecodeError(`${what} is not a number`);
  return value;
}

/** Text of a field that older servers leave out. */
export function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

/** `{ name: text }`, entries of other types printed. */
export function asTextMap(value: unknown, what: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(asObject(value, what)).map(([name, item]) => [
      name,
      typeof item === 'string' ? item : JSON.stringify(item),
    ]),
  );
}
