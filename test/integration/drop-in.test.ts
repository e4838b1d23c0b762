/**
 * One data folder, in turn under Prometheus and Coeus, with samples taken in each phase and blocks written by both: in the end both have
 * every sample, and nothing else.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, hasPrometheus, startCoeus, startPrometheus, withFolder, type RunningServer } from '../support/servers.ts';
import { seededRandom } from '../kernels.ts';
import { sendWrite, type WrittenSeries } from './_remote-write.ts';

const SEED = Number(process.env['SEED'] ?? 4711);
const HOUR_MS = 3_600_000;
const INTERVAL_MS = 60_000;
const SERIES = 40;
/** More than the head keeps, so that each phase leaves blocks. */
const PHASE_MS = 5 * HOUR_MS;
const OPTIONS = { config: 'scrape_configs: []\n', flags: ['--web.enable-remote-write-receiver', '--web.enable-admin-api'] };

type Model = Map<string, Map<number, number>>;

class Feed {
  readonly model: Model = new Map();
  readonly #random = seededRandom(SEED);
  timeMs: number;

  constructor(startMs: number) {
    this.timeMs = startMs;
  }

  /** Sends five hours, an hour a request; some series pause, some end, new ones come. */
  async phase(server: RunningServer, name: string): Promise<void> {
    for (const endMs = this.timeMs + PHASE_MS; this.timeMs < endMs; this.timeMs += HOUR_MS) {
      const series = Array.from({ length: SERIES }, (_, i) => this.#hour(name, i)).filter(({ samples }) => samples.length > 0);
      await eventually('the write is taken', async () => {
        const { status, text } = await sendWrite(server.url, series);
        if (status >= 400 && status < 500) throw new Error(`${status}: ${text}`);
        return status < 300 ? true : undefined;
      });
    }
  }

  #hour(phase: string, i: number): WrittenSeries {
    const labels: [string, string][] = [['__name__', `metric_${i % 4}`], ['i', String(i)]];
    if (i % 5 === 0) labels.push(['phase', phase]);
    const key = JSON.stringify(labels);
    const known = this.model.get(key) ?? new Map<number, number>();
    this.model.set(key, known);
    const samples: [number, number][] = [];
    for (let atMs = this.timeMs; atMs < this.timeMs + HOUR_MS; atMs += INTERVAL_MS) {
      if (this.#random() < 0.05) continue;
      const value = i % 2 === 0 ? samples.length : Math.round(this.#random() * 1e6) / 1000;
      samples.push([atMs + i, value]);
      known.set(atMs + i, value);
    }
    return { labels, samples };
  }

  /** Compares all that the server has with all that it was sent. */
  async check(server: RunningServer, claim: string): Promise<void> {
    const { data } = await server.api('query', { query: '{__name__=~"metric_.*"}[1000d]', time: String(this.timeMs / 1000) });
    const { result } = data as { result: readonly { metric: Record<string, string>; values: readonly (readonly [number, string])[] }[] };
    const got = new Map(result.map(({ metric, values }) => [JSON.stringify(Object.entries(metric)), values.map(([time, value]) => `${Math.round(time * 1000)} ${Number(value)}`)]));
    const want = new Map([...this.model].map(([key, samples]) => [key, [...samples].map(([time, value]) => `${time} ${value}`)]));
    assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort(), claim);
    for (const [key, lines] of want) assert.deepEqual(got.get(key), lines, `${claim}: ${key}`);
  }
}

const blocksIn = (folder: string): string[] => readdirSync(join(folder, 'data')).filter((name) => /^[0-9A-Z]{26}$/.test(name)).sort();

test('one folder goes from Prometheus to Coeus and back, and keeps every sample', { skip: hasPrometheus ? false : 'prometheus is not installed' }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  await withFolder(async (folder) => {
    const feed = new Feed(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 4 * PHASE_MS);
    const options = { folder, ...OPTIONS };

    let theirs = await (await startPrometheus(options)).untilReady();
    await feed.phase(theirs, 'first');
    await eventually('Prometheus writes a block', async () => (blocksIn(folder).length > 0 ? true : undefined));
    await theirs.stop();

    let ours = await (await startCoeus(options)).untilReady();
    await feed.check(ours, 'Coeus has what Prometheus had');
    await feed.phase(ours, 'second');
    await feed.check(ours, 'Coeus has both phases');
    await ours.stop('SIGKILL');
    const before = blocksIn(folder);
    // What is due is written at the start.
    ours = await (await startCoeus(options)).untilReady();
    await eventually('Coeus writes a block', async () => (blocksIn(folder).some((name) => !before.includes(name)) ? true : undefined));
    await feed.check(ours, 'nothing is lost when blocks are written');
    assert.equal(await ours.stop(), 0);

    theirs = await (await startPrometheus(options)).untilReady();
    await feed.check(theirs, 'Prometheus has what Coeus wrote');
    await feed.phase(theirs, 'third');
    await theirs.stop('SIGKILL');

    ours = await (await startCoeus(options)).untilReady();
    await feed.check(ours, 'Coeus has all three phases');
    const { data } = await (await fetch(`${ours.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })).json() as { data: { name: string } };
    assert.ok(readdirSync(join(folder, 'data', 'snapshots', data.name)).length > 0);
    assert.equal(await ours.stop(), 0);

    // A snapshot is a data folder of its own.
    const copy = await (await startPrometheus({ ...options, data: join(folder, 'data', 'snapshots', data.name) })).untilReady();
    await feed.check(copy, 'Prometheus has all of the snapshot');
    await copy.stop();
  });
});
