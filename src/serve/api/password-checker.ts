/**
 * Passwords against bcrypt hashes, off the main thread: one comparison is meant to take about a tenth of a second.
 *
 * What was compared once is remembered, right or wrong, under a key from which no password can be read. Comparisons wait in line for one
 * thread, which starts with the first; the line is bounded, so that guessing passwords costs the guesser's own requests.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** Outcomes remembered; the oldest goes first. */
export const MAX_REMEMBERED = 1000;
/** Comparisons that wait for the thread. */
export const MAX_WAITING = 100;

/** Too many comparisons wait. */
export class PasswordQueueError extends Error {
  override readonly name = 'PasswordQueueError';
}

/** What the thread is sent, and what it answers. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}
export interface PasswordAnswer {
  readonly id: number;
  readonly matches: boolean;
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export class PasswordChecker {
  readonly #secret = randomBytes(32);
  readonly #remembered = new Map<string, boolean>();
  /** Being compared, by the same keys. */
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>();
  #thread: Worker | null = null;
  #lastId = 0;

  /** @throws PasswordQueueError */
  async matches(password: string, hash: string): Promise<boolean> {
    const key = createHmac('sha256', this.#secret).update(`${hash}\0${password}`).digest('base64');
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const running = this.#running.get(key) ?? this.#compare(password, hash);
    this.#running.set(key, running);
    try {
      const matches = await running;
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
      this.#remembered.set(key, matches);
      return matches;
    } finally {
      this.#running.delete(key);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #compare(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= MAX_WAITING)
      throw new PasswordQueueError('too many passwords are being checked, try again');
    this.#thread ??= this.#start();
    const id = ++this.#lastId;
    const question: PasswordQuestion = { id, password, hash };
    const answer = Promise.withResolvers<boolean>();
    this.#waiting.set(id, answer);
    this.#thread.postMessage(question);
    return answer.promise;
  }

  #start(): Worker {
    const thread = new Worker(new URL(`./password-worker.${extension}`, import.meta.url), { name: 'passwords' });
    thread.unref();
    thread.on('message', ({ id, matches }: PasswordAnswer) => {
      this.#waiting.get(id)?.resolve(matches);
      this.#waiting.delete(id);
    });
    thread.on('error', (error: Error) => this.#fail(error));
    thread.on('exit', () => this.#fail(new Error('the thread that compares passwords has ended')));
    return thread;
  }

  /** Who waits is told; the next comparison starts a new thread. */
  #fail(error: Error): void {
    this.#thread = null;
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}
