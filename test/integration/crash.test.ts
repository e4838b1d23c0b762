/**
 * kill -9 in a loop under ingestion: what was acknowledged is there after each start, and every start succeeds.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../kernels.ts';
import { sendWrite } from './_remote-write.ts';
import { FakeExporter, scrapeConfig, startCoeus, withFolder, type RunningServer } from '../support/servers.ts';

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 50);
const SEED = Number(process.env['SEED'] ?? 4711);
const SERIES = 20;

interface Matrix {
  readonly result: readonly { readonly metric: Record<string, string>; readonly values: readonly (readonly [number, string])[] }[];
}

const samplesOf = async (server: RunningServer, query: string): Promise<Map<string, Map<number, number>>> => {
  const { data } = await server.api('query', { query });
  const all = new Map<string, Map<number, number>>();
  for (const { metric, values } of (data as Matrix).result) {
    all.set(metric['series'] ?? metric['instance'] ?? '', new Map(values.map(([time, value]) => [Math.round(time * 1000), Number(value)])));
  }
  return all;
};

test(`${ROUNDS} rounds of kill -9 lose no acknowledged write and no scrape that was seen`, async () => {
  process.stderr.write(`# crash test: seed ${SEED}, ${ROUNDS} rounds\n`);
  const random = seededRandom(SEED);
  const exporter = await FakeExporter.start();
  // Each page carries its own number: what a scrape stored tells which page it saw.
  let pages = 0;
  exporter.page = () => `page_number ${++pages}\n`;
  await withFolder(async (folder) => {
    const config = scrapeConfig(exporter.port, '100ms');
    const flags = ['--web.enable-remote-write-receiver', '--log.level=warn'];
    const acknowledged = Array.from({ length: SERIES }, () => new Map<number, number>());
    let timeMs = Date.now() - 3_000_000;
    // Pages that a query showed: a scrape that was on its way, or that a busy machine let time out, is not among them.
    const shown = new Set<number>();
    for (let round = 0; round <= ROUNDS; round++) {
      const server = await (await startCoeus({ folder, config, flags })).untilReady();
      const stored = await samplesOf(server, 'acknowledged[100h]');
      for (const [i, samples] of acknowledged.entries()) {
        if (samples.size === 0) continue;
        const got = stored.get(String(i));
        assert.ok(got, `seed ${SEED} round ${round}: series ${i} is there`);
        for (const [time, value] of samples) assert.equal(got.get(time), value, `seed ${SEED} round ${round}: series ${i} at ${time}`);
      }
      const scraped = new Set([...(await samplesOf(server, 'page_number[100h]')).values()].flatMap((samples) => [...samples.values()]));
      for (const page of shown) assert.ok(scraped.has(page), `seed ${SEED} round ${round}: page ${page} is there`);
      if (round === ROUNDS) {
        assert.equal(await server.stop(), 0);
        break;
      }
      const life = { isOver: false };
      const writes = (async () => {
        while (!life.isOver) {
          // Fine steps: over all rounds the times stay behind the clock, which queries end at.
          timeMs += 20;
          const values = Array.from({ length: SERIES }, () => Math.floor(random() * 1e9));
          const series = values.map((value, i) => ({ labels: [['__name__', 'acknowledged'], ['series', String(i)]] as const, samples: [[timeMs, value]] as const }));
          try {
            const { status } = await sendWrite(server.url, series);
            if (status === 204) for (const [i, value] of values.entries()) acknowledged[i]!.set(timeMs, value);
          } catch {
            return; // The server is gone: nothing was acknowledged.
          }
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 500));
      for (const samples of (await samplesOf(server, 'page_number[1m]')).values()) for (const page of samples.values()) shown.add(page);
      await server.stop('SIGKILL');
      life.isOver = true;
      await writes;
    }
    assert.ok(acknowledged[0]!.size > ROUNDS && shown.size > ROUNDS / 2, 'the rounds wrote something');
  });
  exporter.stop();
});

test('a torn and a flipped WAL tail are cut, told, counted and kept aside', async () => {
  for (const [name, damage, isTold] of [
    ['torn', (bytes: Buffer) => bytes.subarray(0, bytes.length - 5), false],
    [
      'flipped',
      (bytes: Buffer) => {
        const copy = Buffer.from(bytes);
        copy[Math.floor(bytes.length / 2)]! ^= 0x10;
        return copy;
      },
      true,
    ],
  ] as const) {
    await withFolder(async (folder) => {
      const flags = ['--web.enable-remote-write-receiver'];
      const config = 'scrape_configs: []\n';
      const first = await (await startCoeus({ folder, config, flags })).untilReady();
      const start = Date.now() - 600_000;
      for (let i = 0; i < 50; i++) {
        const { status } = await sendWrite(first.url, [{ labels: [['__name__', 'x']], samples: [[start + i * 1000, i * 1.7]] }]);
        assert.equal(status, 204);
      }
      await first.stop('SIGKILL');
      const wal = join(folder, 'data/wal');
      const segment = join(wal, readdirSync(wal).sort().at(-1)!);
      writeFileSync(segment, damage(readFileSync(segment)));
      const second = await (await startCoeus({ folder, config, flags })).untilReady();
      const samples = [...((await samplesOf(second, 'x[1h]')).get('') ?? new Map<number, number>()).values()];
      assert.deepEqual(samples, Array.from({ length: samples.length }, (_, i) => i * 1.7), `${name}: a prefix is left`);
      assert.ok(samples.length > 10 && samples.length < 50, `${name}: ${samples.length} of 50`);
      if (isTold) {
        const { text } = await second.get('/metrics');
        assert.match(text, /^prometheus_tsdb_wal_corruptions_total 1$/m, name);
        assert.match(second.log.join(''), /damaged storage was cut/, name);
        assert.ok(existsSync(`${segment}.corrupt`) || readdirSync(wal).some((file) => file.includes('.corrupt')), `${name}: what was cut is kept`);
      }
      assert.equal((await sendWrite(second.url, [{ labels: [['__name__', 'x']], samples: [[start + 100_000, 1]] }])).status, 204);
      assert.equal(await second.stop(), 0);
    });
  }
});
