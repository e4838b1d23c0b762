/**
 * Whole scrapes: from a target's answers to what is appended.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../../core/base/log.ts';
import { Registry } from '../../core/base/metrics.ts';
import { labelsFromObject } from '../../core/model/labels.ts';
import { DEFAULT_RELABEL_CONFIG } from '../../core/model/relabel.ts';
import { MAX_LABEL_BYTES } from '../exposition/bounds.ts';
import { CONFIG, FakeHead, ManualTime, newWorkspace, serveHttp } from './_testing.ts';
import { MAX_AHEAD_MS } from './scrape-loop.ts';
import { ScrapeManager, type ActiveTarget } from './scrape-manager.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { targetsOf } from './targets.ts';

interface Answer {
  readonly body: string | Buffer;
  readonly status?: number;
  readonly type?: string;
}

/** One target behind a manager, scraped when the test says so. */
class Rig {
  readonly time = new ManualTime();
  readonly head = new FakeHead();
  readonly registry = new Registry();
  readonly manager: ScrapeManager;
  readonly #address: string;
  #config: ScrapePoolConfig;
  /** What the target answers; undefined: nothing. */
  answer: Answer | undefined;

  constructor(address: string, config: ScrapePoolConfig) {
    this.#address = address;
    this.#config = config;
    this.manager = new ScrapeManager({
      workspace: newWorkspace(),
      appender: this.head,
      registry: this.registry,
      clock: this.time,
      timers: this.time,
      logger: silentLogger,
      seed: '',
      userAgent: 'Coeus/test',
    });
    this.reload({});
  }

  static async start(t: TestContext, changes: Partial<ScrapePoolConfig> = {}): Promise<Rig> {
    const rig: { current: Rig | null } = { current: null };
    const address = await serveHttp(t, (_, response) => {
      const answer = rig.current!.answer;
      if (answer === undefined) return;
      response
        .writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'text/plain; version=0.0.4' })
        .end(answer.body);
    });
    rig.current = new Rig(address, { ...CONFIG, ...changes });
    t.after(() => rig.current!.manager.stop());
    return rig.current;
  }

  reload(changes: Partial<ScrapePoolConfig>): void {
    this.#config = { ...this.#config, ...changes };
    const labels = labelsFromObject({ __address__: this.#address, instance: 'i' });
    const { active } = targetsOf([{ labels: [], targets: [labels] }], this.#config);
    this.manager.apply([{ config: this.#config, targets: active }]);
  }

  remove(): void {
    this.manager.apply([]);
  }

  get target(): ActiveTarget {
    return this.manager.targets()[0]!;
  }

  counter(name: string): number {
    return this.registry.snapshot().find((family) => family.name === name)!.samples[0]!.value;
  }

  /** Lets one interval pass with the target answering `answer`, and waits for the scrape. @returns what was appended */
  async scrape(answer: Answer | string | Buffer, withReports = false): Promise<string[]> {
    this.answer = typeof answer === 'string' || Buffer.isBuffer(answer) ? { body: answer } : answer;
    const before = this.head.commitCount;
    this.toDue();
    await this.settled(before + 1);
    return this.head.take(withReports);
  }

  /** To the instant at which the scrape begins. */
  toDue(): void {
    const labels = labelsFromObject({ __address__: this.#address, instance: 'i' });
    const [target] = targetsOf([{ labels: [], targets: [labels] }], this.#config).active;
    this.time.advanceToDue(this.#config.scrapeIntervalMs, `${target!.key}\0`);
  }

  /** Waits until the head has seen `commits`. */
  async settled(commits: number): Promise<void> {
    while (this.head.commitCount < commits) await new Promise((resolve) => setImmediate(resolve));
  }
}

const M = (name: string, value: string | number, labels = ''): string =>
  `${name}{${labels}instance="i", job="test"} ${value}`;

test('a scrape appends what the target shows and what it was like', async (t) => {
  const rig = await Rig.start(t);
  assert.equal(rig.target.health, 'unknown');
  const appended = await rig.scrape('a{x="1"} 1\nb 2\n', true);
  assert.deepEqual(
    appended.filter((line) => !line.startsWith('scrape_duration')),
    [
      M('a', 1).replace('}', ', x="1"}'),
      M('b', 2),
      M('up', 1),
      M('scrape_samples_scraped', 2),
      M('scrape_samples_post_metric_relabeling', 2),
      M('scrape_series_added', 2),
    ],
  );
  assert.equal(rig.target.health, 'up');
  assert.equal(rig.target.lastError, '');
  assert.equal(rig.target.lastScrapeMs > 0, true);
});

test('samples bear the due time, so they are equally spaced', async (t) => {
  const rig = await Rig.start(t);
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    rig.answer = { body: `a ${i}\n` };
    const before = rig.head.commitCount;
    rig.toDue();
    await rig.settled(before + 1);
    times.push(rig.head.samples[0]!.timeMs);
    rig.head.take();
  }
  assert.deepEqual([times[1]! - times[0]!, times[2]! - times[1]!, times[3]! - times[2]!], [10_000, 10_000, 10_000]);
  const interval = rig.registry.snapshot().find(({ name }) => name === 'prometheus_target_interval_length_seconds')!;
  assert.ok(interval.samples.every(({ labels }) => labels['interval'] === '10s'));
  assert.equal(interval.samples.find(({ suffix }) => suffix === '_count')!.value, 3);
});

test('what vanishes becomes stale, what comes back lives again', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\nb 2\n');
  assert.deepEqual(await rig.scrape('a 3\n'), [M('a', 3), M('b', 'stale')]);
  assert.deepEqual(await rig.scrape('a 4\n'), [M('a', 4)]);
  assert.deepEqual(await rig.scrape('a 5\nb 6\n'), [M('a', 5), M('b', 6)]);
});

test('extra_scrape_metrics adds three series', async (t) => {
  const rig = await Rig.start(t, { extraScrapeMetrics: true, sampleLimit: 7, bodySizeLimitBytes: 100 });
  const extra = (lines: readonly string[]): string[] =>
    lines.filter((line) => /^scrape_(?:timeout|sample_limit|body)/.test(line));
  assert.deepEqual(extra(await rig.scrape('a 1\n', true)), [
    M('scrape_timeout_seconds', 5),
    M('scrape_sample_limit', 7),
    M('scrape_body_size_bytes', 4),
  ]);
  const failed = await rig.scrape(`a 1\n${'#'.repeat(200)}\n`, true);
  assert.deepEqual(extra(failed), [
    M('scrape_timeout_seconds', 5),
    M('scrape_sample_limit', 7),
    M('scrape_body_size_bytes', -1),
  ]);
  assert.equal(rig.counter('prometheus_target_scrapes_exceeded_body_size_limit_total'), 1);
  rig.reload({ extraScrapeMetrics: false });
  assert.deepEqual(extra(await rig.scrape('a 2\n', true)), []);
});

const line = (bytes: number): string => `a{x="${'y'.repeat(bytes)}"} 1\n`;

// What the target answers after a good scrape of `a 1`, configuration, then the error and a counter that has counted it.
const failures: readonly (readonly [string, Answer, Partial<ScrapePoolConfig>, RegExp, string?])[] = [
  ['an error status', { body: '', status: 500 }, {}, /^server returned HTTP status 500 Internal Server Error$/],
  ['half a line', { body: 'b 1\na 2\nc{x="' }, {}, /.+/],
  ['a line without a value', { body: 'b 1\na\n' }, {}, /.+/],
  ['invalid UTF-8', { body: Buffer.from('b 1\na{x="\xff"} 1\n', 'latin1') }, {}, /UTF-8/],
  ['a label of 1 MB', { body: line(1024 * 1024) }, {}, /.+/],
  ['a label past the bound', { body: line(MAX_LABEL_BYTES + 1) }, {}, /.+/],
  ['OpenMetrics without its end', { body: 'b 1\n', type: 'application/openmetrics-text; version=1.0.0' }, {}, /EOF/],
  [
    'a page of another kind',
    { body: '<html>', type: 'text/html' },
    {},
    /^received unsupported Content-Type "text\/html"/,
  ],
  [
    'more samples than allowed',
    { body: 'b 1\na 2\n' },
    { sampleLimit: 1 },
    /^sample limit exceeded$/,
    'prometheus_target_scrapes_exceeded_sample_limit_total',
  ],
  [
    'more labels than allowed',
    { body: 'b 1\na{x="1",y="2"} 2\n' },
    { labelLimit: 4 },
    /^label_limit exceeded \(metric: a, number of labels: 5, limit: 4\)$/,
    'prometheus_target_scrape_pool_exceeded_label_limits_total',
  ],
  [
    'a name that is not valid',
    { body: 'b 1\n{"a.b"} 1\n' },
    { metricNameValidationScheme: 'legacy' },
    /^invalid metric name or label names/,
  ],
  ['more bytes than allowed', { body: 'b 1\na 2\n' }, { bodySizeLimitBytes: 8 }, /^body size limit exceeded$/],
];
for (const [claim, answer, changes, message, counter] of failures) {
  test(`${claim}: nothing is appended, the series become stale, the target is down, and recovers`, async (t) => {
    const rig = await Rig.start(t, changes);
    await rig.scrape('a 1\n');
    const appended = await rig.scrape(answer, true);
    assert.deepEqual(
      appended.filter((line) => !line.startsWith('scrape_')),
      [M('a', 'stale'), M('up', 0)],
    );
    assert.equal(rig.target.health, 'down');
    assert.match(rig.target.lastError, message);
    assert.ok(rig.target.lastError.length < 1000);
    if (counter !== undefined) assert.equal(rig.counter(counter), 1);
    assert.deepEqual(await rig.scrape('a 3\n'), [M('a', 3)]);
    assert.equal(rig.target.health, 'up');
  });
}

test('a failed scrape counts nothing, one over its limit counts what it saw', async (t) => {
  const rig = await Rig.start(t, { sampleLimit: 1 });
  const counts = (lines: readonly string[]): string[] =>
    lines.filter((line) => line.startsWith('scrape_s')).map((line) => line.split(' ').at(-1)!);
  assert.deepEqual(counts(await rig.scrape('a 1\nb\n', true)), ['0', '0', '0']);
  assert.deepEqual(counts(await rig.scrape('a 1\nb 1\n', true)), ['2', '2', '0']);
});

test('a target that hangs is down after its timeout, in Prometheus’ words', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\n');
  rig.answer = undefined;
  rig.toDue();
  const before = rig.head.commitCount;
  rig.time.advance(5000);
  await rig.settled(before + 1);
  const appended = rig.head.take(true);
  assert.ok(appended.includes(M('up', 0)));
  assert.ok(appended.includes(M('scrape_duration_seconds', 5)));
  assert.match(rig.target.lastError, /^Get "http:\/\/127\.0\.0\.1:\d+\/metrics": context deadline exceeded$/);
});

test('repeated series: the first wins, the others are counted', async (t) => {
  const rig = await Rig.start(t);
  assert.deepEqual(await rig.scrape('a 1\na 2\na 3\n'), [M('a', 1)]);
  assert.equal(rig.counter('prometheus_target_scrapes_sample_duplicate_timestamp_total'), 2);
});

test('timestamps: honoured, or replaced; old ones and such too far ahead are counted', async (t) => {
  const rig = await Rig.start(t);
  const now = rig.time.nowMs();
  await rig.scrape(`a 1 ${now}\nb 2 ${now + MAX_AHEAD_MS + 60_000}\nc 3\n`);
  assert.equal(rig.counter('prometheus_target_scrapes_sample_out_of_bounds_total'), 1);
  await rig.scrape(`a 1 ${now - 1000}\nc 4\n`);
  assert.equal(rig.counter('prometheus_target_scrapes_sample_out_of_order_total'), 1);
  rig.reload({ honorTimestamps: false });
  const appended = await rig.scrape(`a 5 ${now}\nc 6\n`);
  assert.deepEqual(appended, [M('a', 5), M('c', 6)]);
});

for (const [track, want] of [
  [false, []],
  [true, [M('a', 'stale')]],
] as const) {
  test(`series with timestamps ${track ? 'become' : 'do not become'} stale with track_timestamps_staleness ${track}`, async (t) => {
    const rig = await Rig.start(t, { trackTimestampsStaleness: track });
    await rig.scrape(`a 1 ${rig.time.nowMs()}\n`);
    assert.deepEqual(await rig.scrape('\n'), want);
  });
}

test('relabelling drops series, which are not counted as kept', async (t) => {
  const rule = { ...DEFAULT_RELABEL_CONFIG, action: 'drop', sourceLabels: ['__name__'], regex: 'b' } as const;
  const rig = await Rig.start(t, { metricRelabelConfigs: [rule] });
  const appended = await rig.scrape('a 1\nb 2\n', true);
  assert.ok(appended.includes(M('scrape_samples_scraped', 2)));
  assert.ok(appended.includes(M('scrape_samples_post_metric_relabeling', 1)));
  assert.ok(!appended.includes(M('b', 2)));
});

test('a reload of timing and limits keeps what is known of the series', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\nb 2\n');
  rig.reload({ scrapeIntervalMs: 20_000, scrapeTimeoutMs: 3000, sampleLimit: 10 });
  const appended = await rig.scrape('a 3\n', true);
  assert.deepEqual(
    appended.filter((line) => !line.startsWith('scrape_')),
    [M('a', 3), M('b', 'stale'), M('up', 1)],
  );
  assert.ok(appended.includes(M('scrape_series_added', 0)));
  assert.equal(rig.target.scrapeIntervalMs, 20_000);
});

test('after a reload of the labelling, what it no longer makes is stale with the next scrape', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\nb 2\n');
  rig.reload({
    metricRelabelConfigs: [{ ...DEFAULT_RELABEL_CONFIG, action: 'drop', sourceLabels: ['__name__'], regex: 'b' }],
  });
  assert.deepEqual(await rig.scrape('a 3\nb 4\n'), [M('a', 3), M('b', 'stale')]);
  assert.deepEqual(await rig.scrape('a 5\nb 6\n'), [M('a', 5)]);
});

test('also where that scrape fails', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\n');
  rig.reload({ honorLabels: true });
  assert.deepEqual(await rig.scrape({ body: '', status: 500 }), [M('a', 'stale')]);
  assert.deepEqual(await rig.scrape({ body: '', status: 500 }), []);
});

test('a reload during a scrape cuts it without a word, and the next one is whole', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\n');
  rig.answer = undefined;
  rig.toDue();
  rig.reload({ scrapeTimeoutMs: 4000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(rig.head.take(true), []);
  assert.equal(rig.target.health, 'up');
  assert.deepEqual(await rig.scrape('a 2\n'), [M('a', 2)]);
});

test('a removed target’s series become stale after two intervals, as of the first scrape it missed', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\n');
  const removedMs = rig.time.nowMs();
  rig.remove();
  rig.time.advance(20_500);
  assert.deepEqual(rig.head.take(true), []);
  rig.time.advance(1000);
  assert.equal(rig.head.samples[0]!.timeMs, removedMs + 10_000);
  const reports = [
    'up',
    'scrape_duration_seconds',
    'scrape_samples_scraped',
    'scrape_samples_post_metric_relabeling',
    'scrape_series_added',
  ];
  assert.deepEqual(
    rig.head.take(true),
    ['a', ...reports].map((name) => M(name, 'stale')),
  );
});

test('a target that comes back in time goes on', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\nb 2\n');
  rig.remove();
  rig.time.advance(5000);
  rig.reload({});
  assert.equal(rig.target.health, 'up');
  assert.deepEqual(await rig.scrape('a 3\n'), [M('a', 3), M('b', 'stale')]);
  // Past the time at which it would have ended.
  for (let i = 4; i < 7; i++) assert.deepEqual(await rig.scrape(`a ${i}\n`), [M('a', i)]);
});

test('what the head removed is looked up anew', async (t) => {
  const rig = await Rig.start(t);
  await rig.scrape('a 1\n');
  rig.manager.unbind(() => true);
  const appended = await rig.scrape('a 2\n', true);
  assert.ok(appended.includes(M('a', 2)));
  assert.ok(appended.includes(M('up', 1)));
});

test('a head that takes no new series, or can’t write, makes targets down and not the process', async (t) => {
  const rig = await Rig.start(t);
  rig.head.seriesError = new Error('the head is full');
  rig.answer = { body: 'a 1\n' };
  rig.toDue();
  while (rig.target.health === 'unknown') await new Promise((resolve) => setImmediate(resolve));
  assert.equal(rig.target.lastError, 'the head is full');
  rig.head.seriesError = null;
  assert.deepEqual(await rig.scrape('a 1\n'), [M('a', 1)]);
  rig.head.commitError = new Error('no space left on device');
  rig.toDue();
  while (rig.target.health === 'up') await new Promise((resolve) => setImmediate(resolve));
  assert.equal(rig.target.lastError, 'no space left on device');
  rig.head.commitError = null;
  await rig.scrape('a 2\n');
  assert.equal(rig.target.health, 'up');
});

test('failures are written to scrape_failure_log_file, which may be moved away', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-scrape-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'failures.log');
  const rig = await Rig.start(t, { scrapeFailureLogFile: file });
  await rig.scrape({ body: '', status: 500 });
  await rig.scrape('a 1\n');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1);
  const { time, target, ...rest } = JSON.parse(lines[0]!) as Record<string, string>;
  assert.equal(time!.slice(0, 10), '2023-11-14');
  assert.match(target!, /^http:\/\/127/);
  assert.deepEqual(rest, {
    level: 'ERROR',
    msg: 'server returned HTTP status 500 Internal Server Error',
    job_name: 'test',
  });
  rmSync(file);
  rig.reload({});
  await rig.scrape({ body: '', status: 404 });
  assert.match(readFileSync(file, 'utf8'), /404 Not Found/);
  // A file that can't be written harms no scrape.
  rig.reload({ scrapeFailureLogFile: join(folder, 'none', 'x') });
  await rig.scrape({ body: '', status: 404 });
  assert.deepEqual(await rig.scrape('a 2\n'), [M('a', 2)]);
});
