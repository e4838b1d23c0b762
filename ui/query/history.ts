/**
 * Queries that were run in this browser, newest first.
 */
import { readStored, writeStored } from '../app/settings.tsx';
import { rememberQuery } from './past-queries.ts';

const KEY = 'coeus.query.history';

export function readHistory(): readonly string[] {
  const stored = readStored(KEY);
  if (stored === null) return [];
  try {
    const parsed: unknown = JSON.parse(stored);
    return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : [];
  } catch (error) {
    // Something else wrote there: begin anew.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

export function addToHistory(expr: string): void {
  writeStored(KEY, JSON.stringify(rememberQuery(readHistory(), expr)));
}

export function clearHistory(): void {
  writeStored(KEY, '[]');
}
