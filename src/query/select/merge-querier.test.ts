import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLabels, labelsFromObject, type Labels } from '../../core/model/labels.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import type { Querier, SelectRequest, SeriesSet } from '../../core/storage/querier.ts';
import { MergeQuerier } from './merge-querier.ts';

const REQUEST: SelectRequest = { matchers: [], startMs: 0, endMs: 100 };

/** A querier over `{ series: 'time=value time=stale …' }`. */
function querier(data: Readonly<Record<string, string>>, closed: string[] = []): Querier {
  const series = Object.entries(data).map(([name, text]) => ({ labels: labelsFromObject({ __name__: name }), text }));
  const set: SeriesSet = {
    seriesCount: series.length,
    labels: (index) => series[index]!.labels,
    read: (index, out) => {
      for (const sample of series[index]!.text.split(' ')) {
        const [time, value] = sample.split('=');
        if (value === 'stale') out.pushStale(Number(time));
        else out.push(Number(time), Number(value));
      }
    },
    close: () => closed.push(Object.keys(data).join()),
  };
  return {
    select: () => Promise.resolve(set),
    labelNames: () => Promise.resolve(Object.keys(data)),
    labelValues: () => Promise.resolve(Object.keys(data)),
    series: () => Promise.resolve(series.map(({ labels }): Labels => labels)),
  };
}

async function read(...queriers: Querier[]): Promise<string[]> {
  const set = await new MergeQuerier(queriers).select(REQUEST);
  return Array.from({ length: set.seriesCount }, (_, i) => {
    const out = new SampleBuffer(1);
    set.read(i, out);
    const samples = Array.from(
      { length: out.length },
      (_unused, k) => `${out.times[k]}=${out.isStale(k) ? 'stale' : out.values[k]}`,
    );
    return `${formatLabels(set.labels(i))}: ${samples.join(' ')}`;
  });
}

const cases = [
  ['series of one alone are as they were', [{ a: '1=1' }, { b: '2=2' }], ['a: 1=1', 'b: 2=2']],
  ['one after the other', [{ a: '1=1 2=2' }, { a: '3=3' }], ['a: 1=1 2=2 3=3']],
  ['the later one first', [{ a: '3=3' }, { a: '1=1 2=2' }], ['a: 1=1 2=2 3=3']],
  ['interleaved', [{ a: '1=1 4=4 5=5' }, { a: '2=2 3=3 6=6' }], ['a: 1=1 2=2 3=3 4=4 5=5 6=6']],
  ['of two at one time the first stays', [{ a: '1=1 2=2' }, { a: '1=9 2=9 3=9' }], ['a: 1=1 2=2 3=9']],
  ['stale markers keep their bits', [{ a: '1=stale 4=4' }, { a: '2=2 3=stale' }], ['a: 1=stale 2=2 3=stale 4=4']],
  ['three of them', [{ a: '1=1' }, { a: '3=3' }, { a: '2=2' }], ['a: 1=1 2=2 3=3']],
  ['none has any', [{}, {}], []],
] as const;
for (const [claim, data, want] of cases) {
  test(claim, async () => {
    assert.deepEqual(await read(...data.map((one) => querier(one))), want);
  });
}

test('names, values and label sets are united', async () => {
  const merged = new MergeQuerier([querier({ b: '1=1', a: '1=1' }), querier({ a: '1=1', c: '1=1' })]);
  assert.deepEqual(await merged.labelNames(REQUEST), ['a', 'b', 'c']);
  assert.deepEqual(await merged.labelValues('x', REQUEST), ['a', 'b', 'c']);
  assert.deepEqual((await merged.series(REQUEST)).map(formatLabels), ['b', 'a', 'c']);
});

test('a select that fails closes the others and is thrown', async () => {
  const closed: string[] = [];
  const failing: Querier = { ...querier({}), select: () => Promise.reject(new Error('gone')) };
  const merged = new MergeQuerier([querier({ a: '1=1' }, closed), failing, querier({ b: '1=1' }, closed)]);
  await assert.rejects(merged.select(REQUEST), /gone/);
  assert.deepEqual(closed, ['a', 'b']);
});

test('closing closes all', async () => {
  const closed: string[] = [];
  const set = await new MergeQuerier([
    querier({ a: '1=1' }, closed),
    querier({}, closed),
    querier({ b: '1=1' }, closed),
  ]).select(REQUEST);
  set.close();
  assert.deepEqual(closed.sort(), ['', 'a', 'b']);
});
