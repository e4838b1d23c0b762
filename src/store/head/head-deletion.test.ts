import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../core/kernels/head-layout.ts';
import { formatLabels } from '../../core/model/labels.ts';
import type { MatchOp, Matcher } from '../../core/model/matcher.ts';
import { SampleBuffer } from '../../core/model/samples.ts';
import { SeriesEncoder } from '../wal/wal-records.ts';
import { WalWriter } from '../wal/wal-writer.ts';
import { appendSamples, readSource, withHead, type TestHead } from './_head-fixtures.ts';
import { headSource } from './head-source.ts';

const START_MS = 1_699_999_200_000; // Begins a two-hour range.
const STEP_MS = 15_000;
const ALWAYS = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };

const matcher = (text: string): Matcher => {
  const [, name, op, value] = /^([^=!]+)(=~|!~|!=|=)(.*)$/.exec(text)!;
  return { name: name!, op: op as MatchOp, value: value! };
};
const at = (step: number): number => START_MS + step * STEP_MS;
const remove = ({ head }: TestHead, matchers: string, from: number, to: number): number =>
  head.deleteSamples({ matcherSets: [matchers.split(' ').map(matcher)], startMs: at(from), endMs: at(to) });

/** Series m with pods 1 and 2, 300 samples each; their first two chunks are in files. */
function fill({ head, writer }: TestHead): void {
  for (let step = 0; step < 300; step++) for (const pod of ['1', '2']) appendSamples(head, head.series(['__name__', 'm', 'pod', pod]), [[at(step), step]]);
  head.flushChunks(writer, 4);
}

/** Steps that are left, as ranges: what a select gives and what a source gives must be the same. */
async function left({ querier, view }: TestHead): Promise<Record<string, string>> {
  const set = await querier.select({ matchers: [], ...ALWAYS });
  const result: Record<string, string> = {};
  for (let i = 0; i < set.seriesCount; i++) {
    const out = new SampleBuffer();
    set.read(i, out);
    if (out.length > 0) result[formatLabels(set.labels(i))] = ranges(Array.from(out.values.subarray(0, out.length)));
  }
  const { series } = readSource(headSource(view, { minTimeMs: 0, maxTimeMs: 1e15 }));
  assert.deepEqual(Object.fromEntries(series.map(([name, samples]) => [name, ranges(samples.map(([, value]) => value))])), result);
  return result;
}

function ranges(steps: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < steps.length; ) {
    let end = i;
    while (steps[end + 1] === steps[end]! + 1) end++;
    parts.push(`${steps[i]}-${steps[end]}`);
    i = end + 1;
  }
  return parts.join(' ');
}

const cases: [string, [string, number, number][], string][] = [
  ['inside a chunk', [['pod=1', 10, 20]], '0-9 21-299'],
  ['whole chunks and over their ends', [['pod=1', 100, 250]], '0-99 251-299'],
  ['from before the first sample', [['pod=1', -1000, 5]], '6-299'],
  ['to behind the last', [['pod=1', 290, 9000]], '0-289'],
  ['in pieces that overlap and touch', [['pod=1', 10, 20], ['pod=1', 15, 30], ['pod=1', 50, 60], ['pod=1', 31, 49]], '0-9 61-299'],
  ['nothing in the range', [['pod=1', 400, 500]], '0-299'],
  ['no such series', [['pod=3', 0, 500]], '0-299'],
];
for (const [claim, deletions, want] of cases) {
  test(`deleted: ${claim}`, () =>
    withHead(async (under) => {
      fill(under);
      for (const [matchers, from, to] of deletions) remove(under, matchers, from, to);
      assert.deepEqual(await left(under), { 'm{pod="1"}': want, 'm{pod="2"}': '0-299' });
    }));
}

test('series whose samples are all deleted are not named, and come back with new samples', () =>
  withHead(async (under) => {
    const { head, querier } = under;
    fill(under);
    assert.equal(remove(under, '__name__=m', -10, 1000), 2);
    assert.deepEqual(await querier.series({ matchers: [], ...ALWAYS }), []);
    assert.deepEqual(await querier.labelValues('pod', { matchers: [matcher('__name__=m')], ...ALWAYS }), []);
    assert.deepEqual(await left(under), {});
    appendSamples(head, head.series(['__name__', 'm', 'pod', '2']), [[at(300), 300]]);
    assert.deepEqual(await left(under), { 'm{pod="2"}': '300-300' });
  }));

test('any of several sets of matchers, and how many series had samples', () =>
  withHead(async (under) => {
    fill(under);
    const count = under.head.deleteSamples({ matcherSets: [[matcher('pod=1')], [matcher('pod=~1|2'), matcher('__name__=m')], [matcher('x=y')]], startMs: at(0), endMs: at(9) });
    assert.equal(count, 2);
    assert.equal(remove(under, 'pod=1', 5, 8), 1, 'they are still there, and deleted twice');
    assert.deepEqual(await left(under), { 'm{pod="1"}': '10-299', 'm{pod="2"}': '10-299' });
  }));

test('what the log does not take is not deleted', () =>
  withHead(async (under) => {
    const { head } = under;
    fill(under);
    head.setLog({
      log: () => {
        throw new Error('disk full');
      },
    });
    assert.throws(() => remove(under, 'pod=1', 10, 20), /disk full/);
    assert.deepEqual(await left(under), { 'm{pod="1"}': '0-299', 'm{pod="2"}': '0-299' });
  }));

test('deleting and truncating again and again does not make the head grow', () =>
  withHead(({ head, writer }) => {
    const used: number[] = [];
    for (let round = 0; round < 40; round++) {
      for (let step = 0; step < 480; step += 5) for (let i = 0; i < 20; i++) appendSamples(head, head.series(['id', String(i), 'round', i % 2 === 0 ? '' : String(round)].slice(0, i % 2 === 0 ? 2 : 4)), [[at(round * 480 + step), step]]);
      for (let k = 0; k < 10; k++) head.deleteSamples({ matcherSets: [[matcher('id=~.+')]], startMs: at(round * 480 + k * 40), endMs: at(round * 480 + k * 40 + 20) });
      head.flushChunks(writer, 1e6);
      const steps = head.truncate({ beforeMs: at((round - 1) * 480), unbind: () => {} }, 0);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      for (const _ of head.quiesced(step.value.epoch)) continue;
      used.push(head.memory.linear.usedBytes - head.memory.arena.freeBytes);
    }
    assert.ok(used[39]! <= used[20]! + 1024, used.join(' '));
    assert.ok(head.memory.get(ROOT.HIGHEST_REF) < 60);
  }));

const skip = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

test('Prometheus finds deleted what the log says is deleted', { skip }, () =>
  withHead((under) => {
    const { folder, head } = under;
    const encoder = new SeriesEncoder();
    const wal = new WalWriter(join(folder, 'wal'), { compression: 'snappy' });
    head.setLog({ log: (series, records) => wal.log(series.length > 0 ? [encoder.encode(series), ...records] : records) });
    for (let step = 0; step < 50; step++) for (const pod of ['1', '2']) appendSamples(head, head.series(['__name__', 'm', 'pod', pod]), [[at(step), step]]);
    remove(under, 'pod=1', 10, 20);
    remove(under, 'pod=~.+', 40, 100);
    wal.close();
    const dump = execFileSync('promtool', ['tsdb', 'dump', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim().split('\n');
    const want: string[] = [];
    for (const pod of ['1', '2']) for (let step = 0; step < 40; step++) if (pod === '2' || step < 10 || step > 20) want.push(`{__name__="m", pod="${pod}"} ${step} ${at(step)}`);
    assert.deepEqual(dump.sort(), want.sort());
  }));
