/**
 * When each target is due: at a fixed phase of its interval on absolute time, so that a restart scrapes at the same instants and
 * many targets spread evenly. One heap and one timer serve all.
 *
 * Due times lie on the wall clock and are awaited on the monotonic one. A wall clock that is slewed is followed; one that is set
 * makes all due times anew.
 */
import type { Clock } from '../../core/base/clock.ts';

/** Longest sleep: a wall clock that is set is noticed within this time. */
const MAX_SLEEP_MS = 1000;
/** A change of the wall clock that is a jump. */
const MAX_SLEW_MS = 100;
/** Timers count whole milliseconds: what is due within this time is due now. */
const EARLY_MS = 0.5;
/** `setTimeout` takes no longer delays. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Entries in the heap that were cancelled are swept out when they are more than these and half of all. */
const MAX_CANCELLED = 64;

/** Timers as an argument, so that tests decide when time passes. */
export interface Timers {
  /** Runs `callback` once after `delayMs`. @returns cancels it */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** The place of `identity` within an interval: a hash of it, spread over the interval. */
export function phaseMs(identity: string, intervalMs: number): number {
  // FNV-1a with a final mix, since the upper bits decide.
  let hash = 0x811c9dc5;
  for (let i = 0; i < identity.length; i++) hash = Math.imul(hash ^ identity.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) / 2 ** 32) * intervalMs;
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
  isCancelled: boolean;
}

export interface Scheduled {
  cancel(): void;
}

export class Schedule {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** A binary heap, the earliest due time on top. */
  #heap: Entry[] = [];
  #cancelledCount = 0;
  /** When the timer fires, on the wall clock; infinity where none is set. */
  #armedMs = Number.POSITIVE_INFINITY;
  #cancelTimer: () => void = () => {};
  /** Wall minus monotonic time as it was seen last. */
  #offsetMs: number;

  constructor(clock: Clock, timers: Timers = systemTimers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#offsetMs = clock.nowMs() - clock.monotonicMs();
  }

  /** Calls `run` with each due time. One that passes while the thread is busy comes late, those behind it are skipped. */
  add(intervalMs: number, identity: string, run: (dueMs: number) => void): Scheduled {
    const phase = phaseMs(identity, intervalMs);
    const entry: Entry = {
      intervalMs,
      phase,
      run,
      dueMs: nextDueMs(this.#nowMs() + EARLY_MS, intervalMs, phase),
      isCancelled: false,
    };
    this.#push(entry);
    this.#arm();
    return { cancel: () => this.#cancel(entry) };
  }

  close(): void {
    this.#heap = [];
    this.#disarm();
  }

  #cancel(entry: Entry): void {
    if (entry.isCancelled) return;
    entry.isCancelled = true;
    this.#cancelledCount++;
    if (this.#cancelledCount > MAX_CANCELLED && this.#cancelledCount * 2 > this.#heap.length)
      this.#rebuild((entry) => entry.dueMs);
  }

  /** Wall time, moved on by the monotonic clock since the last look. */
  #nowMs(): number {
    return this.#clock.monotonicMs() + this.#offsetMs;
  }

  #arm(): void {
    const top = this.#heap[0];
    if (top === undefined) {
      this.#disarm();
      return;
    }
    const now = this.#nowMs();
    const wakeMs = Math.min(now + MAX_SLEEP_MS, top.dueMs);
    // A timer that comes early enough stays: adding thousands of targets sets few timers.
    if (this.#armedMs <= wakeMs) return;
    this.#cancelTimer();
    this.#armedMs = wakeMs;
    this.#cancelTimer = this.#timers.after(Math.max(0, wakeMs - now), () => this.#wake());
  }

  #disarm(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    this.#armedMs = Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    this.#armedMs = Number.POSITIVE_INFINITY;
    const seenMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    const jumped = Math.abs(seenMs - this.#offsetMs) > MAX_SLEW_MS;
    // The wall clock shows whole milliseconds, so the offset lies between what is seen and a millisecond more.
    this.#offsetMs = jumped ? seenMs : Math.min(Math.max(this.#offsetMs, seenMs), seenMs + 1);
    if (jumped) this.#rebuild((entry) => nextDueMs(this.#nowMs(), entry.intervalMs, entry.phase));
    const now = this.#nowMs();
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= now + EARLY_MS; top = this.#heap[0]) {
      this.#pop();
      if (top.isCancelled) {
        this.#cancelledCount--;
        continue;
      }
      const { dueMs } = top;
      top.dueMs = nextDueMs(Math.max(now, dueMs) + EARLY_MS, top.intervalMs, top.phase);
      this.#push(top);
      top.run(dueMs);
    }
    this.#arm();
  }

  /** Makes the heap anew of the entries that live. */
  #rebuild(dueMs: (entry: Entry) => number): void {
    const entries = this.#heap.filter((entry) => !entry.isCancelled);
    this.#heap = [];
    this.#cancelledCount = 0;
    for (const entry of entries) {
      entry.dueMs = dueMs(entry);
      this.#push(entry);
    }
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

  /** Removes the top. */
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
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
  }
}
