/**
 * `scrape_failure_log_file`: one JSON line for each failed scrape, for all jobs that name the same file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import type { Logger } from '../../core/base/log.ts';

export interface ScrapeFailure {
  readonly message: string;
  readonly jobName: string;
  readonly url: string;
}

export class FailureLogs {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Descriptors by path; null where the file can't be written, which is said once until the next `reopen`. */
  readonly #files = new Map<string, number | null>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Appends to the file at `path`. A file that can't be written is reported to the log and harms no scrape. */
  write(path: string, { message, jobName, url }: ScrapeFailure): void {
    const time = new Date(this.#clock.nowMs()).toISOString();
    const line = { time, level: 'ERROR', msg: message, job_name: jobName, target: url };
    try {
      let file = this.#files.get(path);
      if (file === undefined) {
        file = openSync(path, 'a');
        this.#files.set(path, file);
      }
      if (file !== null) writeSync(file, `${JSON.stringify(line)}\n`);
    } catch (error) {
      this.#give(path);
      this.#files.set(path, null);
      this.#logger.error('the scrape failure log could not be written', { file: path, err: errorMessage(error) });
    }
  }

  /** Lets go of all files, so that those that were moved away or are no longer named are opened anew or not at all. */
  reopen(): void {
    for (const path of this.#files.keys()) this.#give(path);
    this.#files.clear();
  }

  #give(path: string): void {
    const file = this.#files.get(path);
    if (file !== undefined && file !== null) closeSync(file);
  }
}
