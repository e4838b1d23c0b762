/**
 * For the tests of this folder: a clock with timers that move by hand, a fake head, configurations, and servers that answer as
 * told.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Clock } from '../../core/base/clock.ts';
import { createExpositionKernel } from '../../core/kernels/exposition-kernel.ts';
import { KERNEL_RESERVED_BYTES } from '../../core/kernels/kernels.ts';
import { LinearMemory } from '../../core/kernels/linear-memory.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG } from '../../core/model/http-client-config.ts';
import { formatLabels, labelsKey, type Labels } from '../../core/model/labels.ts';
import { isStaleBits } from '../../core/model/samples.ts';
import type { AppendCounts, Appender, SampleColumns, SeriesRef } from '../../core/storage/appender.ts';
import { DEFAULT_SCRAPE_PROTOCOLS } from '../exposition/negotiate.ts';
import { ExpositionWorkspace } from '../exposition/workspace.ts';
import { nextDueMs, phaseMs, type Timers } from './schedule.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';

export const CONFIG: ScrapePoolConfig = {
  jobName: 'test',
  scrapeIntervalMs: 10_000,
  scrapeTimeoutMs: 5000,
  metricsPath: '/metrics',
  scheme: 'http',
  params: new Map(),
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  enableCompression: true,
  scrapeProtocols: DEFAULT_SCRAPE_PROTOCOLS,
  fallbackScrapeProtocol: '',
  metricNameValidationScheme: 'utf8',
  metricNameEscapingScheme: 'allow-utf-8',
  extraScrapeMetrics: false,
  scrapeNativeHistograms: false,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
  scrapeFailureLogFile: '',
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  keepDroppedTargets: 0,
  httpClient: DEFAULT_HTTP_CLIENT_CONFIG,
  relabelConfigs: [],
  metricRelabelConfigs: [],
};

/** A workspace with a memory of its own. */
export function newWorkspace(): ExpositionWorkspace {
  const memory = LinearMemory.create(KERNEL_RESERVED_BYTES);
  const wasm = readFileSync(new URL('../../../build/kernels/exposition.wasm', import.meta.url));
  return new ExpositionWorkspace(memory, createExpositionKernel(new WebAssembly.Module(wasm), memory, 4711));
}

/** Time that stands until it is moved; timers run as it passes them. */
export class ManualTime implements Clock, Timers {
  #nowMs: number;
  #monotonicMs = 0;
  #timers: { atMs: number; readonly callback: () => void }[] = [];
  /** Timers that were set so far. */
  setCount = 0;

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Moves to where a target that was scheduled under `identity` is due next, and no further. */
  advanceToDue(intervalMs: number, identity: string): void {
    this.advance(nextDueMs(this.#nowMs + 0.5, intervalMs, phaseMs(identity, intervalMs)) - this.#nowMs);
  }

  after(delayMs: number, callback: () => void): () => void {
    this.setCount++;
    const timer = { atMs: this.#monotonicMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get pendingCount(): number {
    return this.#timers.length;
  }

  /** Moves both clocks, running timers at their time. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#pass(Math.max(0, next.atMs - this.#monotonicMs));
      next.callback();
    }
    this.#pass(endMs - this.#monotonicMs);
  }

  /** Lets time pass while the thread is busy: no timer runs. */
  stall(ms: number): void {
    this.#pass(ms);
  }

  /** Sets the wall clock. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  #pass(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }
}

/** Remembers what is appended; refuses what is not newer, as the head does. */
export class FakeHead implements Appender {
  readonly #refs = new Map<string, SeriesRef>();
  readonly #labels: Labels[] = [[]];
  readonly #newest: { timeMs: number; value: string }[] = [{ timeMs: 0, value: '' }];
  /** `labels value` with ` @time` where wanted; 'stale' stands for the marker. */
  readonly samples: { readonly labels: Labels; readonly timeMs: number; readonly value: string }[] = [];
  commitCount = 0;
  /** Thrown by the next commits, if set. */
  commitError: Error | null = null;
  seriesError: Error | null = null;

  series(labels: Labels): SeriesRef {
    if (this.seriesError !== null) throw this.seriesError;
    const key = labelsKey(labels);
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    const ref = this.#labels.length;
    this.#refs.set(key, ref);
    this.#labels.push(labels);
    this.#newest.push({ timeMs: Number.NEGATIVE_INFINITY, value: '' });
    return ref;
  }

  append({ refs, times, values, count }: SampleColumns): AppendCounts {
    const counts = { appended: 0, appendedOutOfOrder: 0, identical: 0, duplicate: 0, outOfOrder: 0, outOfBounds: 0, tooOld: 0 };
    const bits = new Uint32Array(values.slice(0, count).buffer);
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      const newest = this.#newest[ref]!;
      const timeMs = times[i]!;
      const value = isStaleBits(bits, i) ? 'stale' : String(values[i]);
      if (timeMs < newest.timeMs) counts.outOfOrder++;
      else if (timeMs === newest.timeMs) counts[value === newest.value ? 'identical' : 'duplicate']++;
      else {
        counts.appended++;
        this.#newest[ref] = { timeMs, value };
        this.samples.push({ labels: this.#labels[ref]!, timeMs, value });
      }
    }
    return counts;
  }

  commit(): void {
    if (this.commitError !== null) throw this.commitError;
    this.commitCount++;
  }

  /** What was appended since the last call, without the scrape's own series unless asked for, one line a sample. */
  take(withReports = false): string[] {
    const lines = this.samples
      .splice(0)
      .map(({ labels, value }) => `${formatLabels(labels)} ${value}`)
      .filter((line) => withReports || !/^(?:up|scrape_\w+)\{/.test(line));
    return lines;
  }
}

/** The address of a server that runs until the test ends. */
export async function listen(t: TestContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const address = server.address() as AddressInfo;
  return `127.0.0.1:${address.port}`;
}

/** @returns `host:port` */
export const serveHttp = (t: TestContext, listener: RequestListener): Promise<string> =>
  listen(t, createHttpServer(listener));

/** A server that answers each request head with bytes of any kind. @returns `host:port` */
export function serveRaw(t: TestContext, answer: (socket: Socket, request: string) => void): Promise<string> {
  return listen(
    t,
    createServer((socket) => {
      socket.on('data', (bytes) => answer(socket, bytes.toString('latin1')));
    }),
  );
}
