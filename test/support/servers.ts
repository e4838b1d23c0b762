/**
 * Servers for tests: Coeus and Debian's Prometheus on free ports over folders of their own, and an exporter that tests script.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** How long a server may take to do what is waited for, before the test fails. */
const PATIENCE_MS = 60_000;
const POLL_MS = 20;

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;
export const hasChromium = spawnSync('chromium', ['--version']).status === 0;

/** Runs `body` with a folder that is gone afterwards. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-test-'));
  try {
    await body(folder);
  } finally {
    // A test that failed has left its servers behind.
    await Promise.all([...running].map((server) => server.stop('SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Servers that have not ended. */
const running = new Set<RunningServer>();

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until `ready` gives something else than undefined. */
export async function eventually<T>(what: string, ready: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  let last: unknown;
  for (;;) {
    try {
      const value = await ready();
      if (value !== undefined) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${PATIENCE_MS} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export interface ApiAnswer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  // Tests look into whatever shape the endpoint gives.
  readonly data: never;
}

export class RunningServer {
  readonly process: ChildProcess;
  readonly url: string;
  readonly log: string[] = [];

  constructor(child: ChildProcess, url: string) {
    this.process = child;
    this.url = url;
    running.add(this);
    child.once('exit', () => running.delete(this));
    child.stderr?.on('data', (bytes: Buffer) => this.log.push(bytes.toString()));
    child.stdout?.on('data', (bytes: Buffer) => this.log.push(bytes.toString()));
  }

  async untilReady(): Promise<this> {
    await eventually('the server is ready', async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended with ${this.process.exitCode}:\n${this.log.join('')}`);
      const response = await fetch(`${this.url}/-/ready`);
      await response.text();
      return response.status === 200 ? true : undefined;
    });
    return this;
  }

  async get(path: string, params: Readonly<Record<string, string>> = {}): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.url}${path}?${new URLSearchParams(params)}`);
    return { status: response.status, text: await response.text() };
  }

  async api(path: string, params: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return JSON.parse((await this.get(`/api/v1/${path}`, params)).text) as ApiAnswer;
  }

  /** Sends a signal and waits for the end. @returns the exit code, null after a kill */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
    return this.process.exitCode;
  }
}

export interface StartOptions {
  readonly folder: string;
  /** Where the data lie; by default `data` below the folder. */
  readonly data?: string;
  /** Text of a prometheus.yml; without one the built-in configuration. */
  readonly config?: string;
  readonly flags?: readonly string[];
  readonly port?: number;
}

async function start(command: readonly string[], { folder, data = join(folder, 'data'), config, flags = [], port }: StartOptions): Promise<RunningServer> {
  const chosen = port ?? (await freePort());
  const words = [...command, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${chosen}`, ...flags];
  if (config !== undefined) {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, config);
    words.push(`--config.file=${file}`);
  }
  const child = spawn(words[0]!, words.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  return new RunningServer(child, `http://127.0.0.1:${chosen}`);
}

export const startCoeus = (options: StartOptions): Promise<RunningServer> => start([join(root, 'bin/coeus'), 'serve'], options);
export const startPrometheus = (options: StartOptions): Promise<RunningServer> => start(['prometheus', '--log.level=warn', '--storage.tsdb.retention.time=100y'], options);

/** A target whose pages the test makes. */
export class FakeExporter {
  readonly #server: Server;
  readonly port: number;
  page: () => string = () => '';

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(this.page());
    });
  }

  static async start(): Promise<FakeExporter> {
    const server = createServer().listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    return new FakeExporter(server);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A configuration that scrapes one port. */
export const scrapeConfig = (port: number, interval = '1s'): string =>
  `scrape_configs:\n- job_name: test\n  scrape_interval: ${interval}\n  scrape_timeout: ${interval}\n  static_configs:\n  - targets: ['127.0.0.1:${port}']\n`;
