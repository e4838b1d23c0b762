import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { compareLabels, compareStrings, labelsFromObject, labelValue, type Labels } from '../../core/model/labels.ts';
import { compileMatcher, formatMatcher, type Matcher, type MatchOp } from '../../core/model/matcher.ts';
import { labelsOf, openIndex, withFolder, writeIndex } from './_index-fixtures.ts';
import { FileWriteError } from './file-appender.ts';
import { MAX_SYMBOL_BYTES } from './index-format.ts';
import { IndexWriter } from './index-writer.ts';
import { selectPostings } from './select-postings.ts';
import { SeriesEntry } from './series-entry.ts';

const SEED = 20261124;

/** Series with names and values of all kinds, more than a step of the sparse tables each. */
function manySeries(): Labels[] {
  const series: Labels[] = [['only', 'one']];
  for (let i = 0; i < 300; i++) {
    series.push(labelsFromObject({ __name__: `metric_${i % 7}`, instance: `host-${i}.example:9100`, zone: ['a', 'b', 'ü', '😀', '\uffff'][i % 5]!, odd: i % 2 === 1 ? 'yes' : '' }));
  }
  return series;
}

test('what is written is read again', () => {
  withFolder((folder) => {
    const path = join(folder, 'index');
    const series = manySeries();
    writeIndex(path, series);
    const index = openIndex(path);
    assert.deepEqual([...index.symbols()], [...new Set(series.flat())].sort(compareStrings));
    assert.deepEqual(index.labelNames(), ['__name__', 'instance', 'odd', 'only', 'zone']);
    for (const name of [...index.labelNames(), 'none']) {
      const want = [...new Set(series.map((labels) => labelValue(labels, name)).filter((value) => value !== ''))].sort(compareStrings);
      assert.deepEqual(index.labelValues(name), want);
      assert.equal(index.labelValueCount(name), want.length);
      for (const value of [...want, '', 'a', 'metric_', 'zzz', '\u{10ffff}']) {
        if (value === '' && name === '') continue;
        assert.deepEqual(labelsOf(index, index.postings(name, value)), series.filter((labels) => value !== '' && labelValue(labels, name) === value).sort(compareLabels), `${name}=${value}`);
      }
    }
    assert.deepEqual(labelsOf(index, index.postings('', '')), series.toSorted(compareLabels));
  });
});

test('lists that memory does not hold at once come out the same', () => {
  withFolder((folder) => {
    const series = Array.from({ length: 60_000 }, (_, i) => ['__name__', `metric_${i % 3}`, 'a', String(i % 100), 'b', String(i % 7), 'c', String(i), 'd', 'x']);
    writeIndex(join(folder, 'whole'), series);
    writeIndex(join(folder, 'batches'), series, { postingsMemoryBytes: 300_000 });
    assert.ok(readFileSync(join(folder, 'whole')).equals(readFileSync(join(folder, 'batches'))));
    assert.ok(!existsSync(join(folder, 'batches.pairs')));
  });
});

test('an index without series is one', () => {
  withFolder((folder) => {
    const path = join(folder, 'index');
    writeIndex(path, []);
    const index = openIndex(path);
    assert.deepEqual([[...index.symbols()], index.labelNames(), [...index.postings('', '')]], [[], [], []]);
  });
});

test('a file that is there is not written over', () => {
  withFolder((folder) => {
    writeIndex(join(folder, 'index'), []);
    assert.throws(() => new IndexWriter(join(folder, 'index')), FileWriteError);
  });
});

test('what is out of order is refused', () => {
  const refused: [string, string[], Labels[]][] = [
    ['symbols', ['b', 'a'], []],
    ['symbols that are there twice', ['a', 'a'], []],
    ['symbols past the surrogates', ['\u{10000}', '\uffff'], []],
    ['series', ['a', 'b'], [['a', 'b'], ['a', 'a']]],
    ['a series that is there twice', ['a'], [['a', 'a'], ['a', 'a']]],
    ['the shorter of two series', ['a', 'b'], [['a', 'a', 'b', 'b'], ['a', 'a']]],
    ['labels', ['a', 'b'], [['b', 'a', 'a', 'b']]],
    ['a label that is no symbol', ['a'], [['a', 'b']]],
  ];
  for (const [claim, symbols, series] of refused) {
    withFolder((folder) => {
      const writer = new IndexWriter(join(folder, 'index'));
      assert.throws(() => {
        writer.addSymbols(symbols);
        for (const labels of series) writer.addSeries(labels, new SeriesEntry());
      }, { name: 'AssertionError' }, claim);
      writer.close();
    });
  }
});

test('the longest label is read again, a longer one is refused', () => {
  withFolder((folder) => {
    const longest = 'ü'.repeat(MAX_SYMBOL_BYTES / 2);
    writeIndex(join(folder, 'index'), [['a', longest], ['a', 'b']]);
    const index = openIndex(join(folder, 'index'));
    assert.deepEqual(index.labelValues('a').map((value) => value.length), [1, longest.length]);
    assert.equal(labelsOf(index, index.postings('a', longest))[0]![1], longest);
    assert.throws(() => writeIndex(join(folder, 'other'), [['a', `${longest}!`]]), { name: 'IndexLimitError' });
  });
});

test('lengths past their bounds are not believed', () => {
  withFolder((folder) => {
    const path = join(folder, 'index');
    writeIndex(path, [['a', 'b']]);
    const good = readFileSync(path);
    const { toc } = openIndex(path).layout;
    const cases: [string, (bytes: Buffer) => void, RegExp][] = [
      ['symbols', (bytes) => bytes.writeUInt32BE(0xffffffff, toc.symbols), /reaches into the next/],
      ['a count of symbols', (bytes) => bytes.writeUInt32BE(0xffffffff, toc.symbols + 4), /can't hold 4294967295 symbols/],
      ['a symbol', (bytes) => bytes.fill(0xff, toc.symbols + 8, toc.symbols + 11), /a string of \d+ bytes is too long/],
      ['a series', (bytes) => bytes.fill(0xff, 32, 37), /offset 32: the entry of a series has \d+ bytes/],
      ['a count of postings', (bytes) => bytes.writeUInt32BE(0x3fffffff, toc.postings + 4), /a list of 1073741823 postings has 8 bytes/],
      ['a list of postings', (bytes) => {
        bytes.writeUInt32BE(4 + 4 * 20, toc.postings);
        bytes.writeUInt32BE(20, toc.postings + 4);
      }, /a list of 20 postings has 84 bytes|a list has 20 postings, more than there are series/],
      ['the table', (bytes) => bytes.writeUInt32BE(0xffffffff, toc.postingsTable), /reaches into the next/],
      ['a count of its entries', (bytes) => bytes.writeUInt32BE(0xffffffff, toc.postingsTable + 4), /can't hold 4294967295 entries/],
    ];
    for (const [claim, damage, want] of cases) {
      const bytes = Buffer.from(good);
      damage(bytes);
      writeFileSync(path, bytes);
      assert.throws(() => {
        const index = openIndex(path);
        labelsOf(index, index.postings('', ''));
      }, (error: Error) => error.name === 'CorruptError' && want.test(error.message), claim);
    }
  });
});

test('chunks of any time and place come back', () => {
  const chunks = [
    { minTimeMs: -9_000_000_000_000, maxTimeMs: -8_999_999_999_999, ref: 8 },
    { minTimeMs: -1, maxTimeMs: -1, ref: 2 ** 32 + 8 },
    { minTimeMs: 0, maxTimeMs: 7_200_000, ref: 2 ** 40 },
    { minTimeMs: 1_795_410_966_105, maxTimeMs: 8_640_000_000_000_000, ref: 2 ** 40 + 1 },
  ];
  withFolder((folder) => {
    const path = join(folder, 'index');
    writeIndex(path, [['a', 'b']], { chunks: () => chunks });
    const index = openIndex(path);
    const entry = new SeriesEntry();
    index.series(index.postings('', '')[0]!, entry);
    const read = chunks.map((_, i) => ({ minTimeMs: entry.minTimes[i]!, maxTimeMs: entry.maxTimes[i]!, ref: entry.chunkRefs[i]! }));
    assert.deepEqual([entry.chunkCount, read], [chunks.length, chunks]);
  });
});

test('chunks that overlap are read: the time between them is negative, in 64 bits', () => {
  // One label 0=1, two chunks: [100, 200] at 8, and from −50 behind 200 on, 30 long, 20 bytes further.
  const body = Uint8Array.of(1, 0, 1, 2, 0xc8, 1, 100, 8, 0xce, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 30, 40);
  const entry = new SeriesEntry();
  entry.decode(body, 0, body.length);
  assert.deepEqual([...entry.minTimes.subarray(0, 2)], [100, 150]);
  assert.deepEqual([...entry.maxTimes.subarray(0, 2)], [200, 180]);
  assert.deepEqual([...entry.chunkRefs.subarray(0, 2)], [8, 28]);
});

test('tables made in one thread serve another', () => {
  withFolder((folder) => {
    const path = join(folder, 'index');
    writeIndex(path, manySeries());
    const { tables } = openIndex(path);
    const posted = structuredClone(tables);
    assert.ok(posted.symbols.offsets.buffer instanceof SharedArrayBuffer);
    assert.deepEqual(posted.postings.names, tables.postings.names);
  });
});

test(`matchers select what they say (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const series = manySeries();
  const names = ['__name__', 'instance', 'zone', 'odd', 'only', 'none'];
  const patterns = ['', '.*', '.+', 'a', 'a|b', 'a|', 'metric_[135]', 'metric_.*', '.*_3', 'host-1.+', '.*-22.*', 'ü', '[^a]', 'yes', 'one|', '(a|b)?'];
  const texts = ['', 'a', 'b', '😀', 'yes', 'metric_3', 'host-17.example:9100', 'zzz', 'one'];
  withFolder((folder) => {
    const path = join(folder, 'index');
    writeIndex(path, series);
    const index = openIndex(path);
    for (let round = 0; round < 600; round++) {
      const matchers: Matcher[] = Array.from({ length: Math.floor(random() * 4) }, () => {
        const op = pick<MatchOp>(['=', '!=', '=~', '!~']);
        return { name: pick(names), op, value: pick(op === '=' || op === '!=' ? texts : patterns) };
      });
      const compiled = matchers.map((matcher) => compileMatcher(matcher));
      const want = series.filter((labels) => compiled.every((matcher) => matcher.matches(labelValue(labels, matcher.name)))).sort(compareLabels);
      assert.deepEqual(labelsOf(index, selectPostings(index, matchers)), want, matchers.map(formatMatcher).join(','));
    }
  });
});
