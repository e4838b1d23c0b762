/**
 * The server as its operator meets it: start, reload, hostile targets, stop.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { eventually, FakeExporter, freePort, scrapeConfig, startCoeus, withFolder, type RunningServer } from '../support/servers.ts';

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: Record<string, string>;
}

const targets = async (server: RunningServer): Promise<readonly Target[]> => ((await server.api('targets')).data as { activeTargets: readonly Target[] }).activeTargets;

const value = async (server: RunningServer, query: string): Promise<string | undefined> =>
  ((await server.api('query', { query })).data as { result: readonly { value: [number, string] }[] }).result[0]?.value[1];

test('without flags it scrapes itself and the machine', async () => {
  await withFolder(async (folder) => {
    const server = await (await startCoeus({ folder })).untilReady();
    await eventually('both targets are up', async () => ((await targets(server)).filter(({ health }) => health === 'up').length === 2 ? true : undefined));
    assert.equal(await value(server, 'sum(up)'), '2');
    assert.ok(Number(await value(server, 'count(node_cpu_seconds_total)')) > 0);
    await eventually('the server tells of itself', async () => (Number(await value(server, 'prometheus_tsdb_head_series')) > 0 ? true : undefined));
    const { text } = await server.get('/federate', { 'match[]': 'up' });
    assert.match(text, /^up\{instance="[^"]+",job="node"\} 1 \d+$/m);
    assert.equal(await server.stop('SIGTERM'), 0);
  });
});

test('a reload takes a good file whole and leaves everything as it is for a bad one', async () => {
  await withFolder(async (folder) => {
    const exporter = await FakeExporter.start();
    exporter.page = () => 'a 1\n';
    const server = await (await startCoeus({ folder, config: scrapeConfig(exporter.port, '1s'), flags: ['--web.enable-lifecycle'] })).untilReady();
    await eventually('the target is scraped', async () => (await value(server, 'a')));
    const points = 'count_over_time(vector(1)[10m:])';
    assert.equal(await value(server, points), '10', 'a subquery steps by the evaluation interval, a minute');
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, `${scrapeConfig(exporter.port, '1s')}  no_such_field: 1\n`);
    const refused = await fetch(`${server.url}/-/reload`, { method: 'POST' });
    assert.equal(refused.status, 500);
    assert.match(await refused.text(), /no_such_field.*line 7|line 7.*no_such_field/s);
    assert.match((await server.get('/metrics')).text, /^prometheus_config_last_reload_successful 0$/m);
    assert.equal((await targets(server))[0]!.labels['job'], 'test', 'the old configuration goes on');
    writeFileSync(file, `global: { evaluation_interval: 30s }\n${scrapeConfig(exporter.port, '1s').replace('job_name: test', 'job_name: other')}`);
    server.process.kill('SIGHUP');
    await eventually('the new job is scraped', async () => ((await value(server, 'a{job="other"}')) === '1' ? true : undefined));
    assert.match((await server.get('/metrics')).text, /^prometheus_config_last_reload_successful 1$/m);
    assert.equal(await value(server, points), '20', 'the new interval holds for queries too');
    assert.equal(await server.stop(), 0);
    exporter.stop();
  });
});

test('hostile targets are down, each with its reason, and disturb nobody', async () => {
  const pages: Readonly<Record<string, (write: (bytes: Buffer | string) => boolean, end: () => void, headers: (name: string, text: string) => void, isOpen: () => boolean) => void>> = {
    good: (write, end) => {
      write('good 1\n');
      end();
    },
    hangs: (write) => {
      write('a ');
    },
    endless: (write, _, __, isOpen) => {
      const piece = Buffer.alloc(64 * 1024, 'a');
      const more = (): void => {
        let room = true;
        for (let i = 0; i < 64 && room; i++) room = write(piece);
        if (isOpen()) setTimeout(more, 1);
      };
      more();
    },
    'bad-gzip': (write, end, headers) => {
      headers('content-encoding', 'gzip');
      write('this is no gzip');
      end();
    },
    bomb: (write, end, headers) => {
      headers('content-encoding', 'gzip');
      write(gzipSync(Buffer.alloc(64 * 1024 * 1024, '#')));
      end();
    },
    'long-label': (write, end) => {
      write(`a{b="${'x'.repeat(1024 * 1024)}"} 1\n`);
      end();
    },
    'not-utf8': (write, end) => {
      write(Buffer.from([0x61, 0x7b, 0x62, 0x3d, 0x22, 0xff, 0x22, 0x7d, 0x20, 0x31, 0x0a]));
      end();
    },
    'half-line': (write, end) => {
      write('a{b="c"');
      end();
    },
  };
  const hostile = createServer((request, response) => {
    const name = request.url!.slice(1);
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.on('error', () => {});
    pages[name]!((bytes) => response.write(bytes), () => response.end(), (header, text) => response.setHeader(header, text), () => !response.destroyed);
  })
    .listen(0, '127.0.0.1')
    .unref();
  await once(hostile, 'listening');
  const { port } = hostile.address() as AddressInfo;
  const jobs = Object.keys(pages).map((name) => `- job_name: ${name}\n  metrics_path: /${name}\n  static_configs: [{ targets: ['127.0.0.1:${port}'] }]\n`);
  const config = `global: { scrape_interval: 1s, scrape_timeout: 1s, body_size_limit: 16MB }\nscrape_configs:\n${jobs.join('')}`;
  await withFolder(async (folder) => {
    const server = await (await startCoeus({ folder, config })).untilReady();
    const found = await eventually('every target was scraped', async () => {
      const all = await targets(server);
      return all.length === jobs.length && all.every(({ health }) => health !== 'unknown') ? all : undefined;
    });
    const reasons = new Map(found.map(({ labels, health, lastError }) => [labels['job'], `${health} ${lastError}`]));
    for (const [job, reason] of [
      ['good', /^up $/],
      ['hangs', /^down .*context deadline exceeded/],
      ['endless', /^down (body size limit exceeded|.*context deadline exceeded)/],
      ['bad-gzip', /^down .*gzip/],
      ['bomb', /^down body size limit exceeded/],
      ['long-label', /^down .*line 1/],
      ['not-utf8', /^down .*(utf-8|UTF-8)/],
      ['half-line', /^down .*line 1/],
    ] as const) {
      assert.match(reasons.get(job) ?? 'missing', reason, job);
    }
    assert.equal(await value(server, 'up{job="good"}'), '1');
    const rss = Number(/^process_resident_memory_bytes (\S+)$/m.exec((await server.get('/metrics')).text)![1]);
    assert.ok(rss < 700e6, `memory is bounded: ${rss}`);
    assert.equal(await server.stop(), 0);
  });
  hostile.close();
  hostile.closeAllConnections();
});

test('what can not start says why', async () => {
  const run = async (...words: string[]): Promise<{ code: number | null; text: string }> => {
    const child = spawn(fileURLToPath(new URL('../../bin/coeus', import.meta.url)), words);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
    const [code] = (await once(child, 'exit')) as [number | null];
    return { code, text };
  };
  await withFolder(async (folder) => {
    const data = `--storage.tsdb.path=${join(folder, 'data')}`;
    const unknown = await run('serve', '--no.such.flag');
    assert.equal(unknown.code, 1);
    assert.match(unknown.text, /unknown option '--no\.such\.flag'/);
    const missing = await run('serve', data, '--config.file=/no/such/file.yml', `--web.listen-address=127.0.0.1:${await freePort()}`);
    assert.equal(missing.code, 1);
    assert.match(missing.text, /\/no\/such\/file\.yml: no such file/);
    const port = await freePort();
    const first = await (await startCoeus({ folder, port })).untilReady();
    const taken = await run('serve', `--storage.tsdb.path=${join(folder, 'other')}`, `--web.listen-address=127.0.0.1:${port}`);
    assert.equal(taken.code, 1);
    assert.match(taken.text, /in use/);
    const locked = await run('serve', data, `--web.listen-address=127.0.0.1:${await freePort()}`);
    assert.equal(locked.code, 1);
    assert.match(locked.text, /is in use by the process/);
    assert.equal(await first.stop(), 0);
  });
});
