/**
 * Reading configuration files: the main file, and the jobs of the files that it includes.
 */
import { glob, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quote } from '../../core/model/labels.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { parseConfig, parseIncludedJobs, type Config, type ParseOptions } from './config.ts';
import type { ScrapeConfig } from './scrape-schema.ts';

export interface LoadedConfig {
  /** The main file. */
  readonly config: Config;
  /** All jobs: those of the main file, then those of the included files. */
  readonly scrapeConfigs: readonly ScrapeConfig[];
  /** The main file and the included ones; a change of any is a change of the configuration. */
  readonly files: readonly string[];
}

export type LoadOptions = Omit<ParseOptions, 'file' | 'dir'>;

/** Variables come from the process where `given` has no others. @throws ConfigError where a file can't be read or means nothing */
export async function loadConfigFile(path: string, given: LoadOptions = {}): Promise<LoadedConfig> {
  const options = { environment: process.env, ...given };
  const dir = dirname(path);
  const config = parseConfig(await readText(path), { ...options, file: path, dir });
  const included = await filesOf(config.scrapeConfigFiles);
  const jobs: ScrapeConfig[] = [...config.scrapeConfigs];
  const owners = new Set(jobs.map((job) => job.jobName));
  for (const file of included) {
    for (const job of parseIncludedJobs(await readText(file), config.global, {
      ...options,
      file,
      dir: dirname(file),
    })) {
      if (owners.has(job.jobName)) {
        const message = `found multiple scrape configs with job name ${quote(job.jobName)}`;
        throw new ConfigError(`parsing YAML file ${file}: ${message} (job_name)`, [
          { message, line: 0, column: 0, field: 'job_name' },
        ]);
      }
      owners.add(job.jobName);
      jobs.push(job);
    }
  }
  return { config, scrapeConfigs: jobs, files: [path, ...included] };
}

/** Files that match the patterns, pattern by pattern; one that two patterns match comes twice, and its jobs then clash. */
export async function filesOf(patterns: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const pattern of patterns) files.push(...(await Array.fromAsync(glob(pattern))).sort());
  return files;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    const reason = cause.code === 'ENOENT' ? 'no such file or directory' : cause.message;
    throw new ConfigError(`open ${path}: ${reason}`, [{ message: reason, line: 0, column: 0, field: '' }], cause);
  }
}
