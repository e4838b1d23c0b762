/**
 * Measures receiving: a page of 5,000 lines (1 MB) from a server in another process, by each of the two clients, plain and
 * compressed, and what placing it for the parser adds.
 *
 * Run: node src/ingest/scrape/fetch.bench.ts [rounds]
 * Prints CPU nanoseconds a line of this process (median of the rounds' tenths) and a hash of the bytes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { labelsFromObject } from '../../core/model/labels.ts';
import { createHttpClient } from '../discovery/http-client.ts';
import { CONFIG, newWorkspace } from './_testing.ts';
import { TargetFetcher } from './fetch.ts';
import { Inflater } from './inflate.ts';
import { ParseArea } from './parse-area.ts';
import { ReceiveBuffers } from './receive-buffers.ts';
import { targetsOf } from './targets.ts';

const LINES = 5000;
const GROUPS = 10;
const WAYS = ['plain', 'general'] as const;

/** About 205 bytes a line, values that differ. */
export function makePage(lines: number): Buffer {
  let page = '';
  for (let i = 0; i < lines; i++) {
    page +=
      `http_request_duration_seconds_total{namespace="production-eu-west",pod="checkout-7d9f8b6c5d-${i}x2k",container="server",` +
      `method="GET",path="/api/v1/orders/${i % 10}",code="${200 + (i % 5)}",region="eu-west-1"} ${Math.imul(i, 2654435761) >>> 8}\n`;
  }
  return Buffer.from(page);
}

export interface FetchFigures {
  readonly nanosecondsPerLine: number;
  readonly hash: string;
}

/** Fetches the page `rounds` times from `address`. */
export async function measureFetch(
  way: (typeof WAYS)[number],
  compressed: boolean,
  address: string,
  rounds: number,
): Promise<FetchFigures> {
  // A header of its own is what sends a request through the general client.
  const httpHeaders = new Map(way === 'general' ? [['x-way', { values: ['general'], secrets: [], files: [] }]] : []);
  const config = { ...CONFIG, enableCompression: compressed, httpClient: { ...CONFIG.httpClient, httpHeaders } };
  const client = createHttpClient(config.httpClient);
  const [target] = targetsOf([{ labels: [], targets: [labelsFromObject({ __address__: address })] }], config).active;
  const fetcher = new TargetFetcher(target!, config, {
    client,
    buffers: new ReceiveBuffers(),
    inflater: new Inflater(),
    userAgent: 'bench',
  });
  const workspace = newWorkspace();
  const area = new ParseArea(workspace);
  const { signal } = new AbortController();
  const took: number[] = [];
  let hash = 0;
  const perGroup = Math.max(1, Math.floor(rounds / GROUPS));
  for (let group = 0; group <= GROUPS; group++) {
    const before = process.cpuUsage();
    for (let i = 0; i < perGroup; i++) {
      const page = await fetcher.fetch(signal);
      const { address, length } = area.place(page.parts, page.byteLength);
      page.release();
      hash = Math.imul(hash ^ length ^ workspace.memory.u8[address + length - 2]!, 0x01000193) >>> 0;
    }
    const { user, system } = process.cpuUsage(before);
    took.push(((user + system) * 1000) / perGroup / LINES);
  }
  fetcher.close();
  await client.close();
  // The first group warms up.
  const sorted = took.slice(1).sort((a, b) => a - b);
  return { nanosecondsPerLine: sorted[sorted.length >>> 1]!, hash: hash.toString(16) };
}

/** The server's side: answers all requests with the page. */
export async function servePage(): Promise<{ address: string; close: () => void }> {
  const page = makePage(LINES);
  const packed = gzipSync(page);
  const server = createServer((request, response) => {
    const compressed = request.headers['accept-encoding'] === 'gzip';
    const body = compressed ? packed : page;
    const encoding = compressed ? { 'content-encoding': 'gzip' } : {};
    response.writeHead(200, {
      'content-type': 'text/plain; version=0.0.4',
      'content-length': body.length,
      ...encoding,
    });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv[2] === 'serve') {
    const { address } = await servePage();
    process.send!(address);
  } else {
    const server = fork(import.meta.filename, ['serve']);
    const [address] = await once(server, 'message');
    for (const compressed of [false, true]) {
      for (const way of WAYS) {
        const { nanosecondsPerLine, hash } = await measureFetch(
          way,
          compressed,
          String(address),
          Number(process.argv[2] ?? 400),
        );
        console.log(`${way}${compressed ? ', gzip' : ''}: ${nanosecondsPerLine.toFixed(0)} ns/line, hash ${hash}`);
      }
    }
    server.kill();
  }
}
