import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { asAsync, FakeBackend, fakeOptions } from './_fake-backend.ts';
import type { BackendQuery } from './backend.ts';
import { MAX_FORM_BYTES, MAX_WRITE_BYTES } from './request-body.ts';
import { ListenError, MAX_HEADER_BYTES, MAX_REFUSED_CONNECTIONS } from './listener.ts';
import { createServer, type HttpServer } from './server.ts';
import type { ServerOptions } from './server-options.ts';

async function withServer(changes: Partial<ServerOptions>, backend: FakeBackend, run: (server: HttpServer, ports: number[]) => Promise<void>): Promise<void> {
  const server = createServer(fakeOptions(changes), backend);
  await server.listen();
  try {
    await run(
      server,
      server.addresses.map(({ port }) => port),
    );
  } finally {
    await server.close();
  }
}

/** Many pieces, so that the answer is streamed. */
function manyPieces(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`${String(i).padStart(9, '0')}\n`.repeat(10_000)));
}

interface Answered {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

function ask(port: number, path: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, headers, method: body ? 'POST' : 'GET', agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test('it listens on several addresses', () =>
  withServer({ listenAddresses: ['127.0.0.1:0', '127.0.0.1:0'] }, new FakeBackend(), async (_, ports) => {
    assert.equal(new Set(ports).size, 2);
    for (const port of ports) assert.equal((await ask(port, '/-/healthy')).status, 200);
  }));

test('a port in use is an error that names the address, and no address stays open', () =>
  withServer({}, new FakeBackend(), async (_, [port]) => {
    const second = createServer(fakeOptions({ listenAddresses: ['127.0.0.1:0', `127.0.0.1:${port}`] }), new FakeBackend());
    await assert.rejects(second.listen(), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.message, `can't listen on 127.0.0.1:${port}: the port is in use; is another server running? Choose another with --web.listen-address`);
      return true;
    });
    assert.deepEqual(second.addresses, []);
    await second.close();
  }));

const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  identity: (body) => body,
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  zstd: zlib.zstdDecompressSync,
};
for (const [encoding, decode] of Object.entries(DECODERS)) {
  for (const count of [1, 30]) {
    test(`an answer of ${count} pieces arrives whole as ${encoding}`, () => {
      const backend = new FakeBackend();
      const pieces = manyPieces(count);
      backend.answer = () => Promise.resolve(asAsync(pieces));
      return withServer({}, backend, async (_, [port]) => {
        const { headers, body } = await ask(port!, '/api/v1/query?query=1', { 'accept-encoding': encoding });
        assert.equal(headers['content-encoding'], encoding === 'identity' ? undefined : encoding);
        assert.equal(headers['transfer-encoding'], count === 1 ? undefined : 'chunked');
        assert.ok(decode(body).equals(Buffer.concat(pieces)));
      });
    });
  }
}

test('a small answer is not compressed', () =>
  withServer({}, new FakeBackend(), async (_, [port]) => {
    const { headers } = await ask(port!, '/api/v1/query?query=1', { 'accept-encoding': 'gzip' });
    assert.equal(headers['content-encoding'], undefined);
  }));

test('a client that reads slowly holds the backend back, and one that leaves ends the query', async () => {
  const backend = new FakeBackend();
  const left = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let made = 0;
  backend.answer = (_request: BackendQuery, signal: AbortSignal) => {
    signal.addEventListener('abort', () => left.resolve());
    return Promise.resolve(endless());
  };
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        made++;
        yield Buffer.alloc(256 * 1024, 'x');
        // Lets the server's writes reach the socket.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closed.resolve();
    }
  }
  await withServer({}, backend, async (_, [port]) => {
    const socket = connect(port!, '127.0.0.1');
    socket.write('GET /api/v1/query?query=1 HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    let before = -1;
    while (before !== made) {
      before = made;
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    // What fits the sockets' buffers, not what the backend could make.
    assert.ok(made < 200, `the backend made ${made} pieces for a client that reads none`);
    socket.destroy();
    await Promise.all([left.promise, closed.promise]);
  });
});

test('connections over the bound are told so, those far over it are reset', () =>
  withServer({ maxConnections: 2 }, new FakeBackend(), async (_, [port]) => {
    const open: Socket[] = [];
    const opened = async (): Promise<Socket> => {
      const socket = connect(port!, '127.0.0.1');
      open.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      return socket;
    };
    await opened();
    await opened();
    const refused = await ask(port!, '/-/healthy');
    assert.equal(refused.status, 503);
    assert.match(refused.body.toString(), /2 connections already/);
    for (let i = 0; i < MAX_REFUSED_CONNECTIONS; i++) await opened();
    await assert.rejects(ask(port!, '/-/healthy'), /ECONNRESET|socket hang up/);
    for (const socket of open) socket.destroy();
    // Closing is seen by the server a turn later.
    for (let tries = 0; tries < 1000; tries++) {
      const answer = await ask(port!, '/-/healthy').catch(() => undefined);
      if (answer?.status === 200) return;
    }
    assert.fail('connections were not counted back');
  }));

const FORM = 'application/x-www-form-urlencoded';
const BODIES: readonly (readonly [string, string, string, number, number])[] = [
  ['a form', '/api/v1/query', FORM, MAX_FORM_BYTES, 200],
  ['a form', '/api/v1/query', FORM, MAX_FORM_BYTES + 1, 413],
  ['a remote write', '/api/v1/write', 'application/x-protobuf', MAX_WRITE_BYTES, 204],
  ['a remote write', '/api/v1/write', 'application/x-protobuf', MAX_WRITE_BYTES + 1, 413],
];
for (const [what, path, type, size, status] of BODIES) {
  test(`${what} of ${size} bytes answers ${status}`, () =>
    withServer({}, new FakeBackend(), async (_, [port]) => {
      const body = Buffer.alloc(size, 'x');
      body.write('query=1&x=');
      assert.equal((await ask(port!, path, { 'content-type': type }, body)).status, status);
    }));
}

test('a request that is not sent to its end in time is given up', () =>
  withServer({ readTimeoutMs: 50 }, new FakeBackend(), async (_, [port]) => {
    const socket = connect(port!, '127.0.0.1');
    socket.write('POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (piece: Buffer) => (text += piece.toString()));
      socket.on('close', () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 408 /);
  }));

test('closing cuts a request that does not end', async () => {
  const backend = new FakeBackend();
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  backend.answer = (_request, signal) => {
    signal.addEventListener('abort', () => left.resolve());
    asked.resolve();
    return new Promise(() => {});
  };
  const server = createServer(fakeOptions(), backend);
  await server.listen();
  const answer = ask(server.addresses[0]!.port, '/api/v1/query?query=1');
  await asked.promise;
  await Promise.all([server.close(0), assert.rejects(answer, /ECONNRESET|hang up/), left.promise]);
});

for (const [size, status] of [
  [MAX_HEADER_BYTES / 2, 200],
  [MAX_HEADER_BYTES * 2, 431],
] as const) {
  test(`a request line of ${size} bytes answers ${status}`, () =>
    withServer({}, new FakeBackend(), async (_, [port]) => {
      const answered = await ask(port!, `/api/v1/query?query=1&x=${'x'.repeat(size)}`).catch(() => undefined);
      // What is refused before it is read may reset the connection instead.
      assert.equal(answered?.status ?? 431, status);
    }));
}

test('closing lets a running request end', async () => {
  const backend = new FakeBackend();
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  backend.answer = async () => {
    asked.resolve();
    await release.promise;
    return asAsync([Buffer.from('the end')]);
  };
  const server = createServer(fakeOptions(), backend);
  await server.listen();
  const answer = ask(server.addresses[0]!.port, '/api/v1/query?query=1', { connection: 'close' });
  await asked.promise;
  const closed = server.close();
  release.resolve();
  assert.equal((await answer).body.toString(), 'the end');
  await closed;
});

test('an answer that fails on its way is cut, not ended', async () => {
  const backend = new FakeBackend();
  backend.answer = () =>
    Promise.resolve(
      (async function* fail(): AsyncGenerator<Uint8Array, void> {
        yield* manyPieces(3);
        await Promise.reject(new Error('the worker died'));
      })(),
    );
  await withServer({}, backend, async (_, [port]) => {
    for (const encoding of ['identity', 'gzip']) {
      await assert.rejects(ask(port!, '/api/v1/query?query=1', { 'accept-encoding': encoding }), /aborted|ECONNRESET|hang up/);
    }
    assert.equal((await ask(port!, '/-/healthy')).status, 200);
  });
});

test('connections are counted as they come and go', async () => {
  const options = fakeOptions();
  const server = createServer(options, new FakeBackend());
  await server.listen();
  const count = (name: string): number | undefined =>
    options.registry.snapshot().find((family) => family.name === `net_conntrack_listener_conn_${name}_total`)?.samples[0]?.value;
  assert.deepEqual([count('accepted'), count('closed')], [0, 0]);
  await ask(server.addresses[0]!.port, '/-/healthy', { connection: 'close' });
  await server.close();
  assert.deepEqual([count('accepted'), count('closed')], [1, 1]);
});
