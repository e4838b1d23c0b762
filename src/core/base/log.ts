/**
 * Structured logging: a message and fields, written as logfmt or JSON lines in the shape of Prometheus 3's slog output.
 */
import type { Clock } from './clock.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface LogOptions {
  level: LogLevel;
  format: 'logfmt' | 'json';
  clock: Clock;
  /** Receives whole lines, newline included. */
  write: (line: string) => void;
}

/** A logger that drops lines below `options.level`. */
export function createLogger(options: LogOptions, bound: LogFields = {}): Logger {
  const threshold = LEVELS.indexOf(options.level);
  const emit = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < threshold) return;
    const line = { time: new Date(options.clock.nowMs()).toISOString(), level: level.toUpperCase(), msg: message, ...bound, ...fields };
    options.write(options.format === 'json' ? `${JSON.stringify(line)}\n` : `${logfmt(line)}\n`);
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => createLogger(options, { ...bound, ...fields }),
  };
}

/** Drops everything; for tests and tools. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};

function logfmt(line: LogFields): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(line)) {
    if (value === undefined) continue;
    const text = String(value);
    parts.push(`${key}=${/^[^\s"=\\]+$/.test(text) ? text : JSON.stringify(text)}`);
  }
  return parts.join(' ');
}
