/**
 * A store under random work beside a plain map of samples: ingestion, imports that overlap, deletion, cleaning, snapshots, restarts and
 * kills. SEED replays one run, SIM_ROUNDS makes more.
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { withFaultyDisk } from './_faulty-disk.ts';
import { BLOCK_HINT } from './compaction-plan.ts';
import type { Deletion } from './store.ts';
import { dumpBlocks, HOUR_MS, ManualClock, MapHead, openStore, SampleMap, withFolder, type TestStore } from './_store-fixtures.ts';

const ROUNDS = Number(process.env['SIM_ROUNDS'] ?? 4);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const STEPS = 40;
const SERIES = 6;

class Simulation {
  readonly #random: () => number;
  readonly #folder: string;
  readonly #want = new SampleMap();
  readonly #head = new MapHead();
  readonly #clock = new ManualClock();
  #store: TestStore | null = null;
  /** The newest sample of the head. */
  #nowMs = 0;
  readonly steps: string[] = [];

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#random = seededRandom(seed);
  }

  async run(): Promise<void> {
    await this.#start();
    for (let i = 0; i < STEPS; i++) {
      await this.#step();
      await this.#check();
    }
    await this.#open.store.close();
  }

  get #open(): TestStore {
    assert.ok(this.#store);
    return this.#store;
  }

  async #start(): Promise<void> {
    this.#store = await openStore(this.#folder, { head: this.#head, clock: this.#clock });
  }

  async #step(): Promise<void> {
    const steps: readonly (readonly [number, string, () => Promise<void>])[] = [
      [8, 'ingest', () => this.#ingest()],
      [6, 'tick', () => this.#open.store.tick()],
      [3, 'import', () => this.#import()],
      [2, 'delete', () => this.#delete()],
      [1, 'clean', () => this.#open.store.cleanTombstones()],
      [1, 'snapshot', () => this.#snapshot()],
      [1, 'restart', () => this.#restart()],
      [2, 'kill', () => this.#kill()],
    ];
    let left = this.#random() * steps.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, name, run] of steps) {
      left -= weight;
      if (left > 0) continue;
      this.steps.push(name);
      return run();
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #labels(): string[] {
    return ['n', `s${this.#below(SERIES)}`];
  }

  /** The same for a series and a time, wherever it comes from. */
  #add(into: readonly SampleMap[], labels: readonly string[], timeMs: number): void {
    for (const map of into) map.add(labels, timeMs, (timeMs % 1009) + Number(labels[1]!.slice(1)));
  }

  /** Up to three hours, as a head takes samples: behind all that was written. */
  async #ingest(): Promise<void> {
    const endMs = this.#nowMs + this.#below(3 * HOUR_MS);
    for (let timeMs = this.#nowMs + 1; timeMs < endMs; timeMs += 1 + this.#below(20 * 60_000)) {
      for (let i = this.#below(SERIES); i > 0; i--) this.#add([this.#head.samples, this.#want], this.#labels(), timeMs);
    }
    this.#nowMs = endMs;
  }

  /** A block of any earlier time, in chunks of any size. */
  async #import(): Promise<void> {
    const minTimeMs = this.#below(this.#nowMs + 1);
    const range = { minTimeMs, maxTimeMs: minTimeMs + 1 + this.#below(4 * HOUR_MS) };
    const samples = new SampleMap();
    for (let i = 0; i < 100; i++) this.#add([samples, this.#want], this.#labels(), minTimeMs + this.#below(range.maxTimeMs - minTimeMs));
    const hints = this.#below(2) === 0 ? [] : [BLOCK_HINT.OUT_OF_ORDER];
    await this.#open.store.addBlock(samples.source(range, 1 + this.#below(30)), range, hints);
  }

  async #delete(): Promise<void> {
    const startMs = this.#below(this.#nowMs + 1);
    const deletion: Deletion = {
      matcherSets: [[{ name: 'n', op: '=', value: this.#labels()[1]! }], [{ name: 'n', op: '=~', value: `s[${this.#below(3)}]` }]],
      startMs,
      endMs: startMs + this.#below(6 * HOUR_MS),
    };
    await this.#open.store.deleteSeries(deletion);
    this.#want.delete(deletion);
  }

  async #snapshot(): Promise<void> {
    const name = await this.#open.store.snapshot();
    assert.deepEqual(await dumpBlocks(join(this.#folder, 'snapshots', name)), this.#want.lines());
  }

  async #restart(): Promise<void> {
    await this.#open.store.close();
    await this.#start();
  }

  async #kill(): Promise<void> {
    const { store } = this.#open;
    await withFaultyDisk(this.#folder, { killAt: 1 + this.#below(60) }, async () => {
      await store.tick();
      await store.close();
    });
    await this.#start();
  }

  async #check(): Promise<void> {
    const got = [...new Set([...(await dumpBlocks(this.#folder)), ...this.#head.samples.lines()])].sort();
    assert.deepEqual(got, this.#want.lines());
    assert.deepEqual(this.#open.store.status().unreadable, []);
  }
}

for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
  test(`random work, seed ${seed}`, () =>
    withFolder(async (folder) => {
      const simulation = new Simulation(join(folder, 'data'), seed);
      try {
        await simulation.run();
      } catch (error) {
        // What was there when it failed.
        cpSync(join(folder, 'data'), `${folder}-seed-${seed}`, { recursive: true });
        throw new Error(`seed ${seed} after ${simulation.steps.join(' ')}; the folder is ${folder}-seed-${seed}`, { cause: error });
      }
    }));
}
