/**
 * What the server wants its users to know of itself: each note is there until it no longer holds.
 *
 * Source: Prometheus, HTTP API "Notifications"; the texts are its own, since its pages know them.
 */
import type { Clock } from '../../core/base/clock.ts';

export const STARTING = 'Prometheus is starting and replaying the write-ahead log (WAL).';
export const RELOAD_FAILED = 'Configuration reload has failed.';
export const STOPPING = 'Prometheus is shutting down and gracefully stopping all operations.';

/** Notes that a subscriber who reads slowly may be behind; then it is cut off and asks anew. */
const MAX_BEHIND = 100;

export interface Notification {
  readonly text: string;
  readonly dateMs: number;
  /** False in the message that it no longer holds. */
  readonly active: boolean;
}

/** Gets notifications as they come; null: no more will come. */
type Subscriber = (notification: Notification | null) => void;

export class Notifications {
  readonly #clock: Clock;
  readonly #maxSubscribers: number;
  readonly #active = new Map<string, Notification>();
  readonly #subscribers = new Set<Subscriber>();
  #isClosed = false;

  constructor({ clock, maxSubscribers }: { readonly clock: Clock; readonly maxSubscribers: number }) {
    this.#clock = clock;
    this.#maxSubscribers = maxSubscribers;
  }

  /** The newest last. */
  get active(): readonly Notification[] {
    return [...this.#active.values()];
  }

  add(text: string): void {
    const notification = { text, dateMs: this.#clock.nowMs(), active: true };
    this.#active.set(text, notification);
    for (const tell of this.#subscribers) tell(notification);
  }

  delete(text: string): void {
    const notification = this.#active.get(text);
    if (notification === undefined) return;
    this.#active.delete(text);
    for (const tell of this.#subscribers) tell({ ...notification, active: false });
  }

  /** Those that hold, then each change, until `signal` aborts or the server stops; null where too many listen already. */
  subscribe(signal: AbortSignal): AsyncIterable<Notification> | null {
    if (this.#isClosed || this.#subscribers.size >= this.#maxSubscribers) return null;
    const pending: (Notification | null)[] = this.active.slice();
    let wake = (): void => {};
    const tell: Subscriber = (notification) => {
      if (pending.length < MAX_BEHIND) pending.push(notification);
      else pending.splice(0, pending.length, null);
      wake();
    };
    this.#subscribers.add(tell);
    const end = (): void => tell(null);
    signal.addEventListener('abort', end);
    const subscribers = this.#subscribers;
    return (async function* () {
      try {
        for (;;) {
          const next = pending.shift();
          if (next === null) return;
          if (next !== undefined) yield next;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        subscribers.delete(tell);
        signal.removeEventListener('abort', end);
      }
    })();
  }

  /** Ends all subscriptions, once they have had what there is. */
  close(): void {
    this.#isClosed = true;
    for (const tell of this.#subscribers) tell(null);
  }
}
