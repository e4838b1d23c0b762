import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_OPTIONS, IMPLEMENTATIONS, newWorkspace, NumberingResolver, Target } from './_testing.ts';
import { MemoryLimitError } from '../../core/kernels/linear-memory.ts';
import { MAX_BODY_BYTES, MAX_LABEL_BYTES, MAX_LABELS, MAX_LINE_BYTES } from './bounds.ts';
import { ExpositionError } from './errors.ts';
import { measureParse } from './parse.bench.ts';
import { SampleLimitError, type ParseOptions } from './scrape-cache.ts';

const counts = (parsed: { samplesScraped: number; samplesAfterRelabel: number; seriesAdded: number; duplicates: number }): string =>
  `${parsed.samplesScraped} scraped, ${parsed.samplesAfterRelabel} kept, ${parsed.seriesAdded} added, ${parsed.duplicates} repeated`;

for (const implementation of IMPLEMENTATIONS) {
  const newTarget = (drops?: (labels: readonly string[]) => boolean): Target =>
    new Target(newWorkspace(implementation), new NumberingResolver(drops));
  const scenario = (claim: string, run: (target: Target) => void): void => {
    test(`${implementation}: ${claim}`, () => {
      run(newTarget());
    });
  };

  scenario('a known body asks nothing of the resolver and gives the new values', (target) => {
    const first = target.scrape('# TYPE a gauge\na 1\nb{c="d"} 2\n');
    assert.deepEqual(target.samples(first), ['["__name__","a"] 1', '["__name__","b","c","d"] 2']);
    assert.equal(counts(first), '2 scraped, 2 kept, 2 added, 0 repeated');
    assert.equal(target.resolver.calls, 2);
    const second = target.scrape('# TYPE a gauge\na 3\nb{c="d"} 4\n');
    assert.deepEqual(target.samples(second), ['["__name__","a"] 3', '["__name__","b","c","d"] 4']);
    assert.equal(counts(second), '2 scraped, 2 kept, 0 added, 0 repeated');
    assert.equal(target.resolver.calls, 2);
    assert.deepEqual([first.vanishedRefs.length, second.vanishedRefs.length], [0, 0]);
  });

  scenario('lines in another order, lines put in and left out are found', (target) => {
    const lines = Array.from({ length: 50 }, (_, i) => `m{i="${i}"} ${i}\n`);
    target.scrape(lines.join(''));
    const turned = target.scrape(lines.toReversed().join(''));
    assert.equal(turned.columns.values[0], 49);
    const more = target.scrape([...lines.slice(0, 20), 'new 7\n', ...lines.slice(20)].join(''));
    assert.equal(counts(more), '51 scraped, 51 kept, 1 added, 0 repeated');
    const fewer = target.scrape([...lines.slice(0, 20), ...lines.slice(21)].join(''));
    assert.deepEqual([...fewer.vanishedRefs].map((ref) => target.resolver.labelsOf(ref)), ['["__name__","m","i","20"]', '["__name__","new"]']);
    assert.equal(target.resolver.calls, 51);
  });

  scenario('of a repeated series the first line counts', (target) => {
    for (const _ of [1, 2]) {
      const parsed = target.scrape('a 1\na 2\nb 3\na 4\n');
      assert.deepEqual(target.samples(parsed), ['["__name__","a"] 1', '["__name__","b"] 3']);
      assert.deepEqual([parsed.samplesScraped, parsed.samplesAfterRelabel, parsed.duplicates], [4, 4, 2]);
    }
  });

  scenario('lines with times of their own all count, in their order', (target) => {
    const body = 'a 1 10\na 2 20\na 340282366920938463463374607431768211456 25\na 3 30\n';
    for (const _ of [1, 2]) {
      const parsed = target.scrape(body);
      assert.deepEqual([...parsed.columns.times], [10, 20, 25, 30]);
      assert.deepEqual([...parsed.columns.values], [1, 2, 2 ** 128, 3]);
      assert.equal(parsed.duplicates, 0);
    }
  });

  scenario('what relabelling drops is counted, and not asked for again', (target) => {
    const dropping = new Target(target.workspace, new NumberingResolver((labels) => labels.includes('gone')));
    for (const added of [1, 0]) {
      const parsed = dropping.scrape('a{b="gone"} 1\nc NaN\na{b="gone"} 2\nc{d="gone"} 1e300 2\n');
      assert.deepEqual(dropping.samples(parsed), ['["__name__","c"] NaN']);
      assert.equal(counts(parsed), `4 scraped, 1 kept, ${added} added, 0 repeated`);
      assert.equal(dropping.resolver.calls, 3);
      const bits = new Uint32Array(parsed.columns.values.slice().buffer);
      assert.deepEqual([...bits], [1, 0x7ff80000]);
    }
  });

  scenario('a stale marker cannot be sent', (target) => {
    const parsed = target.scrape('a NaN\nb nan\n');
    const bits = new Uint32Array(parsed.columns.values.slice().buffer);
    assert.deepEqual([...bits], [1, 0x7ff80000, 1, 0x7ff80000]);
  });

  // Options, bodies of two scrapes, labels that vanish with the second.
  const vanishing: readonly (readonly [string, Partial<ParseOptions>, string, string, string[]])[] = [
    ['a series that is missing', {}, 'a 1\nb 2\n', 'a 1\n', ['b']],
    ['all of them', {}, 'a 1\nb 2\n', '', ['a', 'b']],
    ['none with explicit times', {}, 'a 1 5\nb 2\n', 'b 2\n', []],
    ['those with explicit times when they are tracked', { trackTimestampsStaleness: true }, 'a 1 5\nb 2\n', 'b 2\n', ['a']],
    ['those whose times are not honoured', { honorTimestamps: false }, 'a 1 5\nb 2\n', 'b 2\n', ['a']],
    ['not one that goes on under other bytes', {}, 'a{b="1",c="2"} 1\n', 'a{c="2",b="1"} 1\n', []],
  ];
  for (const [claim, options, first, second, want] of vanishing) {
    scenario(`vanished: ${claim}`, (target) => {
      target.scrape(first, 'text', options);
      const { vanishedRefs } = target.scrape(second, 'text', options);
      const names = [...vanishedRefs].map((ref) => (JSON.parse(target.resolver.labelsOf(ref)) as string[])[1]);
      assert.deepEqual(names, want);
      assert.deepEqual([...target.scrape(second, 'text', options).vanishedRefs], []);
    });
  }

  scenario('a series that comes back is added again', (target) => {
    target.scrape('a 1\nb 2\n');
    target.scrape('a 1\n');
    assert.equal(target.scrape('a 1\nb 2\n').seriesAdded, 1);
    assert.equal(target.resolver.calls, 3);
  });

  scenario('a malformed body creates nothing and changes nothing', (target) => {
    target.scrape('a 1\nb 2\n');
    assert.throws(() => target.scrape('a 1\nnew 2\nb x\n'), ExpositionError);
    assert.equal(target.resolver.calls, 2);
    const parsed = target.scrape('a 1\nnew 2\n');
    assert.equal(counts(parsed), '2 scraped, 2 kept, 1 added, 0 repeated');
    assert.deepEqual([...parsed.vanishedRefs].map((ref) => target.resolver.labelsOf(ref)), ['["__name__","b"]']);
  });

  scenario('after a failure all live series are given up once, and adding none again', (target) => {
    target.scrape('a 1\nb 2\nc 3 4\n');
    assert.throws(() => target.scrape('a'), ExpositionError);
    assert.deepEqual([...target.cache.forgetAll()], [1, 2]);
    assert.deepEqual([...target.cache.forgetAll()], []);
    const parsed = target.scrape('a 1\n');
    assert.deepEqual([parsed.seriesAdded, parsed.vanishedRefs.length, target.resolver.calls], [0, 0, 3]);
    assert.deepEqual([...target.cache.forgetAll()], [1]);
  });

  scenario('a resolver that throws fails the scrape, and the series are asked for again', (target) => {
    const { resolver } = target;
    const failing = { resolve: (): number => assert.fail('limit') };
    target.scrape('a 1\n');
    const cacheBytes = target.cache.memoryBytes();
    const body = new TextEncoder().encode('a 1\nb 2\n');
    const address = target.workspace.pool.take(200);
    target.workspace.memory.u8.set(body, address);
    assert.throws(() => target.cache.parse({ address, length: body.length }, 'text', DEFAULT_OPTIONS, failing), /limit/);
    assert.equal(target.cache.memoryBytes(), cacheBytes);
    assert.equal(target.scrape('a 1\nb 2\n').seriesAdded, 1);
    assert.equal(resolver.calls, 2);
  });

  scenario('the sample limit counts what relabelling kept, and a scrape at the limit passes', (target) => {
    const body = 'a 1\nb 2\nc 3\na 4\n';
    assert.throws(
      () => target.scrape(body, 'text', { sampleLimit: 2 }),
      (error) => error instanceof SampleLimitError && error.samplesScraped === 4 && error.samplesAfterRelabel === 4,
    );
    assert.equal(target.scrape(body, 'text', { sampleLimit: 3 }).columns.count, 3);
    assert.throws(() => target.scrape(body, 'text', { sampleLimit: 2 }), /sample limit exceeded/);
    assert.throws(() => target.scrape('a 1 1\na 1 2\na 1 3\n', 'text', { sampleLimit: 2 }), SampleLimitError);
  });

  scenario('bounds of histograms and quantiles of summaries are normalised by the type before them', (target) => {
    const body = (type: string): string => `# TYPE a ${type}\na{le="1"} 1\na{quantile="1"} 1\n`;
    const values = (text: string): string[] => target.samples(target.scrape(text)).map((sample) => sample.match(/"(1|1\.0)"/)![1]!);
    for (const _ of [1, 2]) {
      assert.deepEqual(values(body('gauge')), ['1', '1']);
      assert.deepEqual(values(body('histogram')), ['1.0', '1']);
      assert.deepEqual(values(body('summary')), ['1', '1.0']);
    }
    assert.equal(target.resolver.refs.size, 4);
  });

  scenario('a target may change its format', (target) => {
    const text = target.scrape('a 1\na{b="1" c="2"} 1\n');
    assert.equal(text.columns.count, 2);
    assert.throws(() => target.scrape('a 1\na{b="1" c="2"} 1\n# EOF\n', 'openmetrics'), ExpositionError);
    const other = target.scrape('a 1\na{b="1",c="2"} 1\n# EOF\n', 'openmetrics');
    assert.deepEqual([...other.vanishedRefs], []);
    assert.deepEqual([...other.columns.refs], [1, 2]);
  });

  scenario('exemplars come with their series and their own time or the sample’s', (target) => {
    const body = 'a_bucket{le="1.0"} 5 # {id="x"} 0.5\na_bucket{le="2.0"} 6 7 # {id="y",k=""} 1.5 8.5\nb 1\n# EOF\n';
    for (const _ of [1, 2]) {
      const { exemplars, columns } = target.scrape(body, 'openmetrics');
      assert.deepEqual(exemplars, [
        { ref: 1, labels: ['id', 'x'], value: 0.5, timeMs: 1000 },
        { ref: 2, labels: ['id', 'y', 'k', ''], value: 1.5, timeMs: 8500 },
      ]);
      assert.deepEqual([...columns.times], [1000, 7000, 1000]);
    }
  });

  scenario('OpenMetrics needs its end', (target) => {
    assert.equal(target.scrape('a 1\n# EOF\n', 'openmetrics').columns.count, 1);
    for (const body of ['a 1\n', 'a 1', 'a 1\n# EO', '', 'a 1\n# EOF\na 1\n', 'a 1\n\n# EOF\n']) {
      assert.throws(() => target.scrape(body, 'openmetrics'), ExpositionError, body);
    }
  });

  scenario('metadata is what the comment lines say, the newest where they disagree, for ten scrapes', (target) => {
    const first = target.scrape('# HELP a One\\\\two\\n.\n# TYPE a counter\na 1\n# TYPE b untyped\nb 1\n');
    assert.equal(first.metadataChanged, true);
    const rows = (): string[] => target.cache.metadata().map(({ metric, type, help, unit }) => `${metric}|${type}|${help}|${unit}`);
    assert.deepEqual(rows(), ['a|counter|One\\two\n.|', 'b|unknown||']);
    assert.equal(target.scrape('# HELP a One\\\\two\\n.\n# TYPE a counter\na 1\n').metadataChanged, false);
    assert.equal(target.scrape('# HELP a Other\n# TYPE a gauge\na 1\n').metadataChanged, true);
    assert.deepEqual(rows(), ['a|gauge|Other|', 'b|unknown||']);
    for (let i = 0; i < 8; i++) target.scrape('# HELP a Other\n# TYPE a gauge\na 1\n');
    assert.deepEqual(rows(), ['a|gauge|Other|', 'b|unknown||']);
    target.scrape('# HELP a Other\n# TYPE a gauge\na 1\n');
    assert.deepEqual(rows(), ['a|gauge|Other|']);
  });

  scenario('OpenMetrics metadata has units and quoted names', (target) => {
    target.scrape('# HELP "a.b_s" x \\"y\\"\n# UNIT "a.b_s" s\n# TYPE "a.b_s" info\n{"a.b_s"} 1\n# EOF\n', 'openmetrics');
    assert.deepEqual(target.cache.metadata(), [{ metric: 'a.b_s', type: 'info', help: 'x "y"', unit: 's' }]);
  });

  scenario('series whose ref is gone are asked for again', (target) => {
    target.scrape('a 1\nb 2\n');
    target.cache.unbind((ref) => ref === 1);
    assert.deepEqual([...target.scrape('a 1\nb 2\n').columns.refs], [1, 2]);
    assert.equal(target.resolver.calls, 3);
    target.cache.unbind((ref) => ref === 2);
    assert.deepEqual([...target.scrape('a 1\n').vanishedRefs], []);
  });

  scenario('labels keep their empty values and come sorted', (target) => {
    const parsed = target.scrape('z{b="",a="1",Z="2"} 1\n{"ü x","é"="3"} 2\n');
    assert.equal(parsed.samplesScraped, 2);
    assert.deepEqual([...target.resolver.refs.keys()], ['["Z","2","__name__","z","a","1","b",""]', '["__name__","ü x","é","3"]']);
  });

  scenario('churn does not make the cache grow, and closing gives all back', (target) => {
    const { pool } = target.workspace;
    const stable = Array.from({ length: 300 }, (_, i) => `stable{i="${i}"} 1\n`).join('');
    const scrape = (round: number): void => {
      const churn = Array.from({ length: 100 }, (_, i) => `churn{pod="${round}-${i}"} 1\n`).join('');
      const parsed = target.scrape(stable + churn);
      assert.equal(parsed.vanishedRefs.length, round === 0 ? 0 : 100);
    };
    for (let round = 0; round < 10; round++) scrape(round);
    const most = target.cache.memoryBytes();
    for (let round = 10; round < 60; round++) {
      scrape(round);
      assert.ok(target.cache.memoryBytes() <= 1.6 * most, `round ${round}: ${target.cache.memoryBytes()} of ${most}`);
    }
    const others = pool.heldBytes - target.cache.memoryBytes();
    target.cache.close();
    assert.equal(pool.heldBytes, others);
  });

  scenario('more series than the columns first hold', (target) => {
    const body = Array.from({ length: 5000 }, (_, i) => `m{i="${i}"} ${i}\n`).join('');
    for (const _ of [1, 2]) {
      const { columns } = target.scrape(body);
      assert.equal(columns.count, 5000);
      for (let i = 0; i < 5000; i++) assert.equal(columns.values[i], i);
    }
    const smaller = target.scrape('m{i="7"} 1\n');
    assert.equal(smaller.vanishedRefs.length, 4999);
    assert.ok(target.cache.memoryBytes() < 5000, `${target.cache.memoryBytes()}`);
  });

  const long = (length: number): string => 'x'.repeat(length);
  const manyLabels = (count: number): string => Array.from({ length: count }, (_, i) => `l${i}="1"`).join(',');
  const bounds: readonly (readonly [string, string, RegExp | undefined])[] = [
    ['the longest label value', `a{b="${long(MAX_LABEL_BYTES)}"} 1\n`, undefined],
    ['a longer label value', `a{b="${long(MAX_LABEL_BYTES + 1)}"} 1\n`, /label value is longer than/],
    ['a longer label name', `a{${long(MAX_LABEL_BYTES + 1)}="1"} 1\n`, /label name is longer than/],
    ['a longer metric name', `${long(MAX_LABEL_BYTES + 1)} 1\n`, /metric name is longer than/],
    ['as many labels as may be', `a{${manyLabels(MAX_LABELS)}} 1\n`, undefined],
    ['a label more', `a{${manyLabels(MAX_LABELS + 1)}} 1\n`, /more than 512 labels/],
    ['the longest line', `a ${' '.repeat(MAX_LINE_BYTES - 4)}1\n`, undefined],
    ['a longer line', `a ${' '.repeat(MAX_LINE_BYTES - 3)}1\n`, /line is longer than/],
    ['a longer number', `a ${'1'.repeat(MAX_LINE_BYTES)}\n`, /line is longer than/],
    ['a longer help text', `# HELP a ${long(MAX_LINE_BYTES)}\n`, /line is longer than/],
    ['a longer free comment', `# ${long(MAX_LINE_BYTES)}\na 1\n`, /line is longer than/],
    ['a quote that never ends', `a{b="${long(1_000_000)}`, /expected label value/],
    ['a label of a megabyte', `a{b="${long(1_000_000)}"} 1\n`, /longer than/],
  ];
  for (const [claim, body, want] of bounds) {
    scenario(`bounds: ${claim}`, (target) => {
      for (const _ of [1, 2]) {
        if (want === undefined) assert.equal(target.scrape(body).columns.count, 1);
        else {
          assert.throws(
            () => target.scrape(body),
            (error) => error instanceof ExpositionError && want.test(error.message) && error.message.length < 1000,
          );
        }
      }
    });
  }

  scenario('bounds: a longer body is refused unread', (target) => {
    assert.throws(
      () => target.cache.parse({ address: 0, length: MAX_BODY_BYTES + 1 }, 'text', DEFAULT_OPTIONS, target.resolver),
      /body is longer than/,
    );
  });

  scenario('bounds: more series than a cache may know', ({ workspace }) => {
    const target = new Target(workspace, new NumberingResolver(), 10);
    const body = (count: number): string => Array.from({ length: count }, (_, i) => `m{i="${i}"} 1\n`).join('');
    assert.equal(target.scrape(body(10)).columns.count, 10);
    assert.throws(() => target.scrape(body(11)), /more than 10 series/);
    assert.equal(target.scrape(body(10)).seriesAdded, 0);
  });

  test(`${implementation}: where memory ends the scrape fails, and a smaller one passes`, () => {
    const target = new Target(newWorkspace(implementation, 16));
    const body = (count: number): string => Array.from({ length: count }, (_, i) => `m{i="${i}"} 1\n`).join('');
    for (const _ of [1, 2, 3]) {
      assert.throws(() => target.scrape(body(30_000)), MemoryLimitError);
      const parsed = target.scrape(body(1000));
      assert.equal(parsed.columns.count, 1000);
      for (let i = 0; i < 1000; i++) assert.equal(parsed.columns.values[i], 1);
    }
    const bytes = target.cache.memoryBytes();
    const { heldBytes } = target.workspace.pool;
    target.cache.close();
    assert.equal(target.workspace.pool.heldBytes, heldBytes - bytes);
  });

  scenario('a repeated line without time leaves the series one of explicit times', (target) => {
    for (const body of ['a 1 5\na 2\n', 'a 1 5\na 2\n', 'b 1\n']) {
      const parsed = target.scrape(body);
      assert.deepEqual([...parsed.vanishedRefs], []);
    }
  });

  scenario('the benchmark runs', () => {
    const figures = measureParse(implementation, 200, 3);
    assert.equal(figures.hash, 'edbfea20');
    assert.ok(figures.overheadBytesPerSeries < 64, `${figures.overheadBytesPerSeries}`);
  });
}
