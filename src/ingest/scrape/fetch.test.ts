/**
 * Fetching, against servers that behave and servers that don't: both clients over the same cases.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { labelsFromObject } from '../../core/model/labels.ts';
import { createHttpClient } from '../discovery/http-client.ts';
import { CONFIG, serveHttp, serveRaw } from './_testing.ts';
import { measureFetch, servePage } from './fetch.bench.ts';
import { FetchError, TargetFetcher } from './fetch.ts';
import { Inflater, MAX_IMMEDIATE_BYTES } from './inflate.ts';
import { BodySizeLimitError, ReceiveBuffers } from './receive-buffers.ts';
import { MAX_HEAD_BYTES } from './response-reader.ts';
import type { ScrapePoolConfig } from './scrape-config.ts';
import { targetsOf } from './targets.ts';

const CLIENTS = ['plain', 'general'] as const;
type ClientName = (typeof CLIENTS)[number];

interface Fetching {
  readonly buffers: ReceiveBuffers;
  /** `content type|body` */
  readonly fetch: (signal?: AbortSignal) => Promise<string>;
}

/** Fetches from `address` by the client of that name. */
function fetching(
  t: TestContext,
  by: ClientName,
  address: string,
  changes: Partial<ScrapePoolConfig> = {},
  labels = {},
): Fetching {
  // A header of its own is what sends a request through the general client.
  const httpHeaders = new Map(by === 'general' ? [['x-general', { values: ['1'], secrets: [], files: [] }]] : []);
  const httpClient = { ...CONFIG.httpClient, ...changes.httpClient, httpHeaders };
  const config = { ...CONFIG, ...changes, httpClient };
  const [target] = targetsOf(
    [{ labels: [], targets: [labelsFromObject({ __address__: address, ...labels })] }],
    config,
  ).active;
  const client = createHttpClient(config.httpClient, {
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    environment: {},
  });
  const buffers = new ReceiveBuffers();
  const fetcher = new TargetFetcher(target!, config, {
    client,
    buffers,
    inflater: new Inflater(),
    userAgent: 'Coeus/test',
  });
  t.after(async () => {
    fetcher.close();
    await client.close();
  });
  return {
    buffers,
    async fetch(signal = new AbortController().signal) {
      const page = await fetcher.fetch(signal);
      const text = Buffer.concat(page.parts).toString();
      assert.equal(page.byteLength, Buffer.concat(page.parts).length);
      page.release();
      return `${page.contentType}|${text}`;
    },
  };
}

const body = 'a 1\n';
const head = (more: string): string => `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${more}\r\n`;
/** Compressible to a thousandth. */
const bomb = gzipSync(Buffer.alloc(2 * MAX_IMMEDIATE_BYTES, 'x'));
const packed = (bytes: Buffer): string =>
  `${head(`Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n`)}${bytes.toString('latin1')}`;
const half = gzipSync('a 1\n'.repeat(1000)).subarray(0, -12);
const wrongSum = Buffer.from(gzipSync(body));
wrongSum[wrongSum.length - 8]! ^= 0xff;

// The whole answer, after which the connection ends; options; then what is fetched, or the error.
const answers: readonly (readonly [string, string, Partial<ScrapePoolConfig>, string | RegExp])[] = [
  ['counted', `${head('Content-Length: 4\r\n')}${body}`, {}, `text/plain|${body}`],
  ['chunked', `${head('Transfer-Encoding: chunked\r\n')}4\r\n${body}\r\n0\r\n\r\n`, {}, `text/plain|${body}`],
  ['until the end', `${head('')}${body}`, {}, `text/plain|${body}`],
  ['gzip', packed(gzipSync(body)), {}, `text/plain|${body}`],
  ['no content type', `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n${body}`, {}, `|${body}`],
  [
    'other encodings are taken as they are',
    `${head('Content-Encoding: br\r\nContent-Length: 4\r\n')}${body}`,
    {},
    `text/plain|${body}`,
  ],
  [
    'another status',
    'HTTP/1.1 503 Too Busy\r\nContent-Length: 0\r\n\r\n',
    {},
    /^server returned HTTP status 503 Service Unavailable$/,
  ],
  ['even a good one', 'HTTP/1.1 204 No Content\r\n\r\n', {}, /^server returned HTTP status 204 No Content$/],
  ['an unknown one', 'HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n', {}, /^server returned HTTP status 599$/],
  ['bad gzip', packed(Buffer.from('this is not gzip')), {}, /^gzip: invalid header$/],
  ['half a gzip', packed(half), {}, /^unexpected EOF$/],
  ['gzip with a wrong checksum', packed(wrongSum), {}, /^gzip: invalid checksum$/],
  [
    'less than promised',
    `${head('Content-Length: 10\r\n')}${body}`,
    {},
    /^Get "http:\S+": (?:unexpected EOF|other side closed)$/,
  ],
  [
    'one byte below the limit',
    `${head('Content-Length: 4\r\n')}${body}`,
    { bodySizeLimitBytes: 5 },
    `text/plain|${body}`,
  ],
  [
    'a body that reaches the limit',
    `${head('Content-Length: 4\r\n')}${body}`,
    { bodySizeLimitBytes: 4 },
    /^body size limit exceeded$/,
  ],
  [
    'gzip one byte below the limit',
    packed(gzipSync(body.repeat(50))),
    { bodySizeLimitBytes: 201 },
    `text/plain|${body.repeat(50)}`,
  ],
  [
    'gzip that reaches the limit',
    packed(gzipSync(body.repeat(50))),
    { bodySizeLimitBytes: 200 },
    /^body size limit exceeded$/,
  ],
  ['a bomb under a small limit', packed(bomb), { bodySizeLimitBytes: 100_000 }, /^body size limit exceeded$/],
  [
    'a bomb under a large limit',
    packed(bomb),
    { bodySizeLimitBytes: MAX_IMMEDIATE_BYTES * 1.5 },
    /^body size limit exceeded$/,
  ],
  [
    'no HTTP',
    'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    {},
    /^Get "http:\S+": (?:malformed HTTP response "SSH-2.0-OpenSSH_9.2"|Response does not match)/,
  ],
  [
    'endless headers',
    head(`X: ${'x'.repeat(2 * MAX_HEAD_BYTES)}\r\n`),
    {},
    /^Get "http:\S+": (?:server response headers exceeded|Headers Overflow)/,
  ],
  ['nothing', '', {}, /^Get "http:\S+": (?:EOF|other side closed)$/],
];
for (const by of CLIENTS) {
  for (const [claim, answer, changes, want] of answers) {
    test(`${by}: ${claim}`, async (t) => {
      const address = await serveRaw(t, (socket) => socket.end(answer, 'latin1'));
      const { fetch, buffers } = fetching(t, by, address, changes);
      if (typeof want === 'string') assert.equal(await fetch(), want);
      else {
        const kind = want.source.includes('body size') ? BodySizeLimitError : FetchError;
        await assert.rejects(fetch(), (error) => error instanceof kind && want.test(error.message));
      }
      assert.equal(buffers.heldBytes, 0);
    });
  }

  test(`${by}: asks with the headers that targets rely on`, async (t) => {
    const asked: string[] = [];
    const address = await serveHttp(t, ({ method, url, headers }, response) => {
      const {
        host,
        accept,
        'accept-encoding': encoding,
        'user-agent': agent,
        'x-prometheus-scrape-timeout-seconds': timeout,
      } = headers;
      asked.push(`${method} ${url} ${host === address} ${agent} ${encoding} ${String(timeout)}`, accept!);
      response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
    });
    const scrapeProtocols = ['OpenMetricsText1.0.0', 'PrometheusText0.0.4'] as const;
    await fetching(t, by, address, {
      scrapeProtocols,
      scrapeTimeoutMs: 1500,
      params: new Map([['a', ['1 2']]]),
    }).fetch();
    await fetching(t, by, address, { enableCompression: false }).fetch();
    assert.equal(asked[0], 'GET /metrics?a=1+2 true Coeus/test gzip 1.5');
    assert.equal(
      asked[1],
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4',
    );
    assert.equal(asked[2], 'GET /metrics true Coeus/test identity 5');
  });

  test(`${by}: connections are kept`, async (t) => {
    const ports = new Set<number | undefined>();
    const address = await serveHttp(t, ({ socket }, response) => {
      ports.add(socket.remotePort);
      response.writeHead(200, { 'content-type': 'text/plain' }).end(body.repeat(100_000));
    });
    const { fetch } = fetching(t, by, address);
    for (let i = 0; i < 5; i++) assert.equal((await fetch()).length, 11 + 400_000);
    // The general client takes a second one where a request follows at once.
    assert.ok(ports.size <= (by === 'plain' ? 1 : 2));
  });

  test(`${by}: a kept connection that the server closed meanwhile is no failure`, async (t) => {
    let requests = 0;
    const address = await serveRaw(t, (socket) => {
      requests++;
      // The second request on a connection gets no answer.
      if (requests === 2) socket.destroy();
      else socket.write(`${head('Content-Length: 4\r\n')}${body}`);
    });
    const { fetch } = fetching(t, by, address);
    await fetch();
    assert.equal(await fetch(), `text/plain|${body}`);
    assert.equal(requests, 3);
  });

  test(`${by}: redirects are followed, or are the answer`, async (t) => {
    const address = await serveHttp(t, ({ url }, response) => {
      if (url === '/metrics') response.writeHead(302, { location: '/elsewhere' }).end('moved');
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
    });
    const follows = fetching(t, by, address);
    assert.equal(await follows.fetch(), `text/plain|${body}`);
    assert.equal(await follows.fetch(), `text/plain|${body}`);
    const { fetch } = fetching(t, by, address, { httpClient: { ...CONFIG.httpClient, followRedirects: false } });
    await assert.rejects(fetch(), { message: 'server returned HTTP status 302 Found' });
  });

  // What a target sends before it hangs.
  for (const [claim, sent] of [
    ['says nothing', ''],
    ['stops in its headers', 'HTTP/1.1 200 OK\r\nContent-'],
    ['stops in its body', `${head('Content-Length: 10\r\n')}a 1`],
    ['stops in its gzip', packed(gzipSync(body)).slice(0, -3)],
  ] as const) {
    test(`${by}: a target that ${claim} is left when time is over`, async (t) => {
      const abort = new AbortController();
      const late = new FetchError('context deadline exceeded');
      const address = await serveRaw(t, (socket) => {
        socket.write(sent, 'latin1');
        setImmediate(() => abort.abort(late));
      });
      const { fetch, buffers } = fetching(t, by, address);
      await assert.rejects(fetch(abort.signal), (error) => error === late);
      assert.equal(buffers.heldBytes, 0);
    });
  }

  test(`${by}: a page without end is cut at the limit`, async (t) => {
    let sentBytes = 0;
    const address = await serveHttp(t, (_, response) => {
      const more = Buffer.alloc(64 * 1024, 'x');
      const write = (): void => {
        while (!response.destroyed && response.write(more)) sentBytes += more.length;
      };
      response.on('drain', write).writeHead(200, { 'content-type': 'text/plain' });
      write();
    });
    const { fetch, buffers } = fetching(t, by, address, { bodySizeLimitBytes: 1024 * 1024 });
    await assert.rejects(fetch(), BodySizeLimitError);
    assert.equal(buffers.heldBytes, 0);
    assert.ok(sentBytes < 64 * 1024 * 1024);
  });
}

test('plain: after a failure the next scrape finds a fresh connection', async (t) => {
  let requests = 0;
  const address = await serveRaw(t, (socket) => {
    requests++;
    socket.write(
      requests === 1 ? `${head('Content-Length: 4\r\n')}${body}too much` : `${head('Content-Length: 4\r\n')}${body}`,
    );
  });
  const { fetch } = fetching(t, 'plain', address);
  for (let i = 0; i < 3; i++) assert.equal(await fetch(), `text/plain|${body}`);
});

test('nobody listens, no such host', async (t) => {
  const refused = fetching(t, 'plain', '127.0.0.1:1');
  const message = 'Get "http://127.0.0.1:1/metrics": dial tcp 127.0.0.1:1: connect: connection refused';
  await assert.rejects(refused.fetch(), { name: 'FetchError', message });
  await assert.rejects(fetching(t, 'general', '127.0.0.1:1').fetch(), { name: 'FetchError', message });
});

test('a unix socket stands in for the host', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-scrape-'));
  const path = join(folder, 'target.sock');
  const server = createServer(({ headers }, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`# ${headers.host}\n`);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  assert.equal(
    await fetching(t, 'plain', 'name.of:80', {}, { __unix_socket__: path }).fetch(),
    'text/plain|# name.of\n',
  );
  const missing = fetching(t, 'plain', 'a', {}, { __unix_socket__: join(folder, 'none') });
  await assert.rejects(missing.fetch(), {
    message: `Get "http://a/metrics": dial unix ${join(folder, 'none')}: connect: no such file or directory`,
  });
});

test('the benchmark runs and both clients get the same bytes', async () => {
  const { address, close } = await servePage();
  try {
    const hashes = new Set<string>();
    for (const by of CLIENTS)
      for (const compressed of [true, false]) hashes.add((await measureFetch(by, compressed, address, 1)).hash);
    assert.equal(hashes.size, 1);
  } finally {
    close();
  }
});
