/**
 * The little languages of /proc and /sys: lines, columns, numbers.
 */
import type { FamilySet } from './family-set.ts';
import { isMissing, type HostReader } from './host-reader.ts';

/** A collector: reads the host, adds families. */
export type Collect = (reader: HostReader, out: FamilySet) => Promise<void>;

/** The host has none of what a collector looks for (no RAID, no bonds). */
export class NoDataError extends Error {
  override readonly name = 'NoDataError';
}

/** A file that is not as the kernel documents it. */
export class HostFormatError extends Error {
  override readonly name = 'HostFormatError';

  constructor(path: string, text: string) {
    super(`${path}: ${JSON.stringify(text.slice(0, 100))} is not in the expected format`);
  }
}

/** Lines that are not empty. */
export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

export const columnsOf = (line: string): string[] => line.trim().split(/\s+/);

/** A decimal number. @throws HostFormatError */
export function decimal(path: string, text: string | undefined): number {
  if (text === undefined || !/^[+-]?\d+(\.\d+)?$/.test(text)) throw new HostFormatError(path, text ?? '');
  return Number(text);
}

/** A hexadecimal number, with or without `0x`. @throws HostFormatError */
export function hexadecimal(path: string, text: string | undefined): number {
  if (text === undefined || !/^(0x)?[\da-fA-F]+$/.test(text)) throw new HostFormatError(path, text ?? '');
  return Number.parseInt(text, 16);
}

/** The trimmed text of a file, or null where it is missing. */
export async function readOptional(reader: HostReader, path: string): Promise<string | null> {
  try {
    return (await reader.readText(path)).trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Names in a folder; none where it is missing. */
export async function listOptional(reader: HostReader, path: string): Promise<readonly string[]> {
  try {
    return await reader.list(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The text of a file without which the host has no data. @throws NoDataError */
export async function readRequired(reader: HostReader, path: string): Promise<string> {
  const text = await readOptional(reader, path);
  if (text === null) throw new NoDataError(`${path} is missing`);
  return text;
}
