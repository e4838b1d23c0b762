/** The kernels over windows against plain loops over each window, on random series. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MixedSamples } from '../../../core/model/mixed-samples.ts';
import type { StepGrid } from '../plan/grid.ts';
import { averageOf, CompensatedSum } from './compensated-sum.ts';
import { COUNTER_KINDS, extrapolate } from './counters.ts';
import { SlidingExtreme } from './sliding-extreme.ts';
import { sumWindows } from './sliding-sum.ts';
import { Windows } from './windows.ts';

const SEED = 20_260_729;
const ROUNDS = 200;

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Kernel = (windows: Windows, values: Float64Array, present: Uint8Array, at: number) => number;
/** The value of one window, NaN-safe; undefined for none. */
type Oracle = (samples: readonly (readonly [number, number])[], endMs: number, rangeMs: number) => number | undefined;

const plain = (values: readonly number[]): number => {
  const sum = new CompensatedSum();
  for (const value of values) sum.add(value);
  return Math.abs(sum.value) === Infinity ? sum.value : sum.total;
};

const sumOracle: Oracle = (samples) => (samples.length === 0 ? undefined : plain(samples.map(([, value]) => value)));
const averageOracle: Oracle = (samples) =>
  samples.length === 0
    ? undefined
    : averageOf(
        Float64Array.from(samples, ([, value]) => value),
        0,
        samples.length,
      );
const extremeOracle =
  (pick: (...values: number[]) => number): Oracle =>
  (samples) => {
    const numbers = samples.map(([, value]) => value).filter((value) => !Number.isNaN(value));
    return samples.length === 0 ? undefined : numbers.length === 0 ? Number.NaN : pick(...numbers);
  };

/** As the documentation of rate() has it, without any memory of earlier windows. */
const increaseOracle: Oracle = (samples, endMs, rangeMs) => {
  if (samples.length < 2) return undefined;
  const [firstMs, first] = samples[0]!;
  const [lastMs, last] = samples.at(-1)!;
  let gain = last - first;
  for (let i = 1; i < samples.length; i++) if (samples[i]![1] < samples[i - 1]![1]) gain += samples[i - 1]![1];
  const sampled = (lastMs - firstMs) / 1000;
  const spacing = sampled / (samples.length - 1);
  let toStart = (firstMs - (endMs - rangeMs)) / 1000;
  let toEnd = (endMs - lastMs) / 1000;
  if (toStart >= spacing * 1.1) toStart = spacing / 2;
  if (toEnd >= spacing * 1.1) toEnd = spacing / 2;
  if (gain > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / gain));
  return gain * ((sampled + toStart + toEnd) / sampled);
};

const max = new SlidingExtreme('max');
const min = new SlidingExtreme('min');
const cases: readonly (readonly [string, Kernel, Oracle])[] = [
  ['sum_over_time', (w, v, p, at) => sumWindows(false, w, v, p, at), sumOracle],
  ['avg_over_time', (w, v, p, at) => sumWindows(true, w, v, p, at), averageOracle],
  ['max_over_time', (w, v, p, at) => max.run(w, v, p, at), extremeOracle(Math.max)],
  ['min_over_time', (w, v, p, at) => min.run(w, v, p, at), extremeOracle(Math.min)],
  ['increase', (w, v, p, at) => extrapolate(COUNTER_KINDS.get('increase')!, w, v, p, at), increaseOracle],
];

for (const [name, kernel, oracle] of cases) {
  test(`${name} is what each window by itself gives`, () => {
    const random = generator(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const samples = new MixedSamples();
      const isCounter = name === 'increase';
      let timeMs = 0;
      for (let i = 0; i < 60; i++) {
        timeMs += 1 + Math.floor(random() * (random() < 0.1 ? 200 : 20));
        const kind = random();
        samples.push(
          timeMs,
          isCounter ? Math.floor(random() * 50) : kind < 0.05 ? Number.NaN : kind < 0.07 ? 1e308 : random() * 1e6 - 5e5,
        );
      }
      const timeGrid: StepGrid = {
        startMs: Math.floor(random() * 100),
        stepMs: Math.floor(random() * 30),
        stepCount: 40,
      };
      const rangeMs = 1 + Math.floor(random() * 200);
      const windows = new Windows(samples, timeGrid, timeGrid, rangeMs);
      windows.locate();
      const values = new Float64Array(42).fill(-1);
      const present = new Uint8Array(42).fill(9);
      const seen = kernel(windows, values, present, 1);
      let expectedSeen = 0;
      for (let step = 0; step < timeGrid.stepCount; step++) {
        const endMs = timeGrid.startMs + step * timeGrid.stepMs;
        const inside = Array.from(
          { length: samples.length },
          (_, i) => [samples.times[i]!, samples.values[i]!] as const,
        ).filter(([time]) => time > endMs - rangeMs && time <= endMs);
        const want = oracle(inside, endMs, rangeMs);
        const at = `seed ${SEED}, round ${round}, step ${step}`;
        assert.equal(present[step + 1], want === undefined ? 0 : 1, at);
        if (want === undefined) continue;
        expectedSeen++;
        const got = values[step + 1]!;
        const isClose = Object.is(got, want) || got === want || Math.abs(got - want) <= 1e-12 * Math.abs(want);
        assert.ok(isClose, `${at}: ${got}, expected ${want}`);
      }
      assert.equal(seen, expectedSeen);
      assert.deepEqual([present[0], present[41]], [9, 9], 'nothing is written outside the row');
    }
  });
}
