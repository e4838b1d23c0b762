import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FloatHistogram } from './histogram.ts';
import { MixedSamples } from './mixed-samples.ts';

const NONE = { indexes: [], counts: [] };
const histogram = (count: number): FloatHistogram => ({
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count,
  sum: 0,
  positive: NONE,
  negative: NONE,
  customBounds: [],
  resetHint: 'unknown',
});

/** `time=value` a sample, `h` before a histogram's count, `s` and a start time after it. */
function show(samples: MixedSamples): string {
  return Array.from({ length: samples.length }, (_, i) => {
    const held = samples.histogramAt(i);
    const start = samples.startTimeAt(i);
    return `${samples.times[i]}=${held === undefined ? samples.values[i] : `h${held.count}`}${start === 0 ? '' : `s${start}`}`;
  }).join(' ');
}

test('stale markers go, other NaNs and histograms stay', () => {
  const samples = new MixedSamples(2);
  samples.pushStale(1);
  samples.push(2, Number.NaN);
  samples.pushHistogram(3, histogram(7));
  samples.setStartTime(2);
  samples.pushStale(4);
  samples.push(5, 6);
  samples.removeStale();
  assert.equal(show(samples), '2=NaN 3=h7s2 5=6');
});

test('a cleared buffer has neither histograms nor start times', () => {
  const samples = new MixedSamples();
  samples.pushHistogram(1, histogram(1));
  samples.setStartTime(1);
  samples.clear();
  samples.push(2, 3);
  assert.equal(show(samples), '2=3');
  assert.equal(samples.hasHistograms, false);
  assert.equal(samples.hasStartTimes, false);
});
