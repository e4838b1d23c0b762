/**
 * When each target is due: a fixed phase within its interval on absolute time, so that a restart scrapes at the same instants
 * and many targets spread evenly. One timer serves all.
 */
import type { Clock } from '../../core/base/clock.ts';

/** Longest sleep: a wall clock that is set is noticed within this time. */
const MAX_SLEEP_MS = 1000;

export interface Timers {
  /** Runs `callback` once after `delayMs`. @returns cancels it */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A place in the interval for `identity`: FNV-1a, 32 bits, spread over the interval. */
export function phaseMs(identity: string, intervalMs: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < identity.length; i++) hash = Math.imul(hash ^ identity.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return ((hash >>> 0) / 4294967296) * intervalMs;
}

/** The first instant after `afterMs` at which a target of this phase is due. */
export function nextDueMs(afterMs: number, intervalMs: number, phase: number): number {
  return Math.floor((afterMs - phase) / intervalMs + 1) * intervalMs + phase;
}

interface Entry {
  readonly intervalMs: number;
  readonly phase: number;
  readonly run: (dueMs: number) => void;
  dueMs: number;
  active: boolean;
}

export interface Scheduled {
  cancel(): void;
}

/** A binary heap of due times with one timer for its top. */
export class Schedule {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #heap: Entry[] = [];
  #cancelTimer: (() => void) | null = null;
  /** Wall minus monotonic time when the due times were computed. */
  #offsetMs: number;

  constructor(clock: Clock, timers: Timers = systemTimers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#offsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Calls `run` with each due time. What is missed because the thread was busy is skipped, not made up for. */
  add(intervalMs: number, identity: string, run: (dueMs: number) => void): Scheduled {
    const phase = phaseMs(identity, intervalMs);
    const entry: Entry = { intervalMs, phase, run, dueMs: nextDueMs(this.#nowMs(), intervalMs, phase), active: true };
    this.#push(entry);
    this.#arm();
    return {
      cancel: () => {
        entry.active = false;
      },
    };
  }

  close(): void {
    this.#heap.length = 0;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** The wall clock as it stood when due times were computed, moved on by the monotonic one. */
  #nowMs(): number {
    return this.#clock.monotonicMs() + this.#offsetMs;
  }

  #arm(): void {
    this.#cancelTimer?.();
    const top = this.#heap[0];
    if (top === undefined) {
      this.#cancelTimer = null;
      return;
    }
    // Timers fire up to a millisecond early or late; the rest is awaited in the next turn.
    const delayMs = Math.min(MAX_SLEEP_MS, Math.max(0, top.dueMs - this.#nowMs()));
    this.#cancelTimer = this.#timers.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    const offset = this.#clock.nowMs() - this.#clock.monotonicMs();
    if (Math.abs(offset - this.#offsetMs) > MAX_SLEEP_MS) {
      // The wall clock was set: due times on absolute time are computed anew.
      this.#offsetMs = offset;
      const entries = this.#heap.splice(0);
      for (const entry of entries) {
        entry.dueMs = nextDueMs(this.#nowMs(), entry.intervalMs, entry.phase);
        this.#push(entry);
      }
    }
    const now = this.#nowMs();
    while (this.#heap.length > 0 && this.#heap[0]!.dueMs <= now + 0.5) {
      const entry = this.#pop();
      if (!entry.active) continue;
      const { dueMs } = entry;
      entry.dueMs = nextDueMs(Math.max(now, dueMs + 0.5), entry.intervalMs, entry.phase);
      this.#push(entry);
      entry.run(dueMs);
    }
    this.#arm();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (heap[parent]!.dueMs <= entry.dueMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.dueMs < heap[child]!.dueMs) child++;
      if (heap[child]!.dueMs >= last.dueMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
