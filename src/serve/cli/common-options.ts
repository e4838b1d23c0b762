/**
 * Options that several commands have, and how their values are read.
 */
import { type Command, Option } from 'commander';
import { DurationError, parseDuration } from '../../core/model/duration.ts';
import type { ApiClient } from './api-client.ts';
import { FlagError } from './flags.ts';

/** The folder of `coeus serve` without flags. */
export const DEFAULT_DATA_FOLDER = 'data/';

export const DEFAULT_SERVER = 'http://localhost:9090';

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

/** An option's value as a duration. @throws FlagError */
export function durationOption(name: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new FlagError(`--${name}: ${error.message}`, { cause: error });
  }
}

/** An option's value as a whole number that is not negative. @throws FlagError */
export function countOption(name: string, text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count))
    throw new FlagError(`--${name}: "${text}" is not a whole number`);
  return count;
}

export interface GivenHttp {
  /** `--http.config.file` */
  readonly 'http.config.file'?: string;
  /** `--header`, each name=value. */
  readonly header?: readonly string[];
}

/** Adds `--http.config.file`. */
export function withHttpOptions(command: Command): Command {
  return command.addOption(
    new Option('--http.config.file <file>', 'how to speak to the server: credentials, TLS, proxy'),
  );
}

/** Runs with a client of the server, which is closed afterwards. @throws FlagError, ConfigError, ServerError */
export async function withApiClient<T>(
  server: string,
  given: GivenHttp,
  run: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const headers = (given.header ?? []).map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new FlagError(`--header: "${text}" is not name=value`);
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  const path = given['http.config.file'];
  const http =
    path === undefined ? undefined : (await import('../config/http-config-file.ts')).readHttpConfigFile(path);
  const { ApiClient } = await import('./api-client.ts');
  const client = new ApiClient(server, {
    headers: Object.fromEntries(headers),
    ...(http === undefined ? {} : { http }),
  });
  try {
    return await run(client);
  } finally {
    await client.close();
  }
}
