import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeChart,
  latestValue,
  loneIndexes,
  pointCount,
  rowsAt,
  stackValues,
  valueRange,
  type ChartData,
} from './chart-data.ts';
import { seriesColor, withAlpha } from './palette.ts';

/** Values as text: `_` is nothing. */
function chart(...columns: string[]): ChartData {
  const series = columns.map((column, i) => ({
    key: String(i),
    name: `s${i}`,
    color: '#000000',
    values: column.split(' ').map((text) => (text === '_' ? null : Number(text))),
  }));
  return { timesMs: series[0]?.values.map((_, i) => i * 1000) ?? [], series };
}

const shown = (values: readonly (number | null)[]): string => values.map((value) => value ?? '_').join(' ');

test('each series stands on those before it; where none has a value there is nothing', () => {
  const stacked = stackValues(chart('1 2 _ _', '10 _ 30 _').series, 4);
  assert.deepEqual(stacked.map(shown), ['1 2 0 _', '11 2 30 _']);
});

test('values without neighbours are found', () => {
  const find = (text: string) => loneIndexes(chart(text).series[0]!.values);
  assert.deepEqual(find('1'), [0]);
  assert.deepEqual(find('1 2 3'), []);
  assert.deepEqual(find('1 _ 2 3 _ 4'), [0, 5]);
  assert.deepEqual(find('_ _'), []);
});

test('points are counted without gaps', () => {
  assert.equal(pointCount(chart('1 _ 2', '_ _ 3')), 3);
  assert.equal(pointCount({ timesMs: [], series: [] }), 0);
});

test('the newest value may lie before a gap', () => {
  assert.equal(latestValue([1, 2, null]), 2);
  assert.equal(latestValue([null]), null);
});

test('a tooltip lists the largest first and leaves out what is not there', () => {
  assert.deepEqual(
    rowsAt(chart('1 5', '3 _', '2 9'), 1).map(({ name, value }) => [name, value]),
    [
      ['s2', 9],
      ['s0', 5],
    ],
  );
});

test('a chart can be read aloud', () => {
  const text = describeChart('CPU', chart('1 5 3'), 'percent').replaceAll('\u00a0', ' ');
  assert.equal(text, 'CPU. s0: now 3 %, between 1 % and 5 %.');
  assert.equal(describeChart('CPU', chart('_ _'), 'percent'), 'CPU: no data');
  assert.match(describeChart('CPU', chart(...Array.from({ length: 9 }, () => '1')), 'none'), /and 3 more series\.$/);
});

// Least and most of the data, options, ends of the axis.
const ranges = [
  ['room above and below', 10, 20, {}, [9.2, 20.8]],
  ['no room below zero for what is never negative', 0.1, 10, {}, [0, 10.792]],
  ['zero is an end when asked for', 10, 20, { fromZero: true }, [0, 21.6]],
  ['negative values have room too', -10, 10, { fromZero: true }, [-11.6, 11.6]],
  ['a flat line has room around it', 5, 5, {}, [4.5, 5.5]],
  ['a flat zero has room above', 0, 0, {}, [0, 1]],
  ['a flat zero reaches the least end', 0, 0, { fromZero: true, leastMax: 10 }, [0, 10.8]],
  ['noise does not become mountains', 0, 0.1, { fromZero: true, leastMax: 10 }, [0, 10.8]],
] as const;
for (const [claim, min, max, options, [low, high]] of ranges) {
  test(`value axis: ${claim}`, () => {
    const range = valueRange(min, max, options);
    assert.ok(Math.abs(range.min - low) < 1e-9 && Math.abs(range.max - high) < 1e-9, JSON.stringify(range));
  });
}

test('colours go on beyond the palette', () => {
  const colors = Array.from({ length: 60 }, (_, i) => seriesColor(i, 'dark'));
  assert.ok(new Set(colors).size > 55);
});

test('fills are their colour, see-through', () => {
  assert.equal(withAlpha('#2a63d6', 0.3), '#2a63d64d');
  assert.equal(withAlpha('hsl(120 65% 40%)', 0.3), 'hsl(120 65% 40% / 0.3)');
});
