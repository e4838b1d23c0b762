import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { DEFAULT_HTTP_CLIENT_CONFIG, NO_TLS_CONFIG, type TlsConfig } from '../../core/model/http-client-config.ts';
import {
  CA_CERTIFICATE,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
} from './_test-certificates.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { HttpTransport, MAX_POOLS } from './http-transport.ts';

/** A server that answers with the name it was asked for and the name of who asks. */
async function serve(t: TestContext, options: ServerOptions = {}): Promise<string> {
  const server = createServer(
    { cert: SERVER_CERTIFICATE, key: SERVER_KEY, ca: CA_CERTIFICATE, ...options },
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const peer = socket.getPeerCertificate() as { subject?: { CN?: string } };
      response.end(
        `${String((socket as { servername?: unknown }).servername)} ${peer.subject?.CN ?? 'nobody'} ${socket.getProtocol()}`,
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function client(t: TestContext, tls: Partial<TlsConfig>, enableHttp2 = false): HttpClient {
  const made = createHttpClient({ ...DEFAULT_HTTP_CLIENT_CONFIG, enableHttp2, tls: { ...NO_TLS_CONFIG, ...tls } });
  t.after(() => made.close());
  return made;
}

async function ask(made: HttpClient, url: string): Promise<string> {
  const response = await made.request({ url, signal: new AbortController().signal });
  let text = '';
  for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  return text;
}

test('TLS: a certificate of the given authority is taken, others are not', async (t) => {
  const url = await serve(t);
  assert.equal(await ask(client(t, { ca: CA_CERTIFICATE }), url), 'false nobody TLSv1.3');
  await assert.rejects(ask(client(t, {}), url), /unable to (?:get|verify)|self-signed/);
});

test('TLS: insecure_skip_verify takes any', async (t) => {
  assert.equal(await ask(client(t, { insecureSkipVerify: true }), await serve(t)), 'false nobody TLSv1.3');
});

test('TLS: server_name is asked for and verified', async (t) => {
  const url = await serve(t);
  assert.match(await ask(client(t, { ca: CA_CERTIFICATE, serverName: 'target.test' }), url), /^target\.test /);
  await assert.rejects(
    ask(client(t, { ca: CA_CERTIFICATE, serverName: 'other.test' }), url),
    /altnames|does not match/,
  );
});

test('TLS: a client shows its certificate', async (t) => {
  const url = await serve(t, { requestCert: true, rejectUnauthorized: true });
  assert.match(
    await ask(client(t, { ca: CA_CERTIFICATE, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY }), url),
    / client /,
  );
  await assert.rejects(ask(client(t, { ca: CA_CERTIFICATE }), url));
});

test('TLS: versions are bounded', async (t) => {
  const url = await serve(t);
  assert.match(await ask(client(t, { ca: CA_CERTIFICATE, maxVersion: 'TLS12' }), url), / TLSv1\.2$/);
  await assert.rejects(
    ask(client(t, { ca: CA_CERTIFICATE, minVersion: 'TLS13' }), await serve(t, { maxVersion: 'TLSv1.2' })),
  );
});

test('TLS: files that change are used by the next request; a missing one is named', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'coeus-tls-'));
  t.after(() => rm(dir, { recursive: true }));
  const caFile = join(dir, 'ca.pem');
  const made = client(t, { caFile });
  const url = await serve(t);
  await assert.rejects(ask(made, url), /unable to read CA cert .*ca\.pem/);
  await writeFile(caFile, CLIENT_CERTIFICATE);
  await assert.rejects(ask(made, url));
  await writeFile(caFile, CA_CERTIFICATE);
  assert.match(await ask(made, url), /TLSv1\.3$/);
});

test('pools of proxies and sockets are bounded; those used last stay', async (t) => {
  const transport = new HttpTransport(DEFAULT_HTTP_CLIENT_CONFIG, {});
  t.after(() => transport.close());
  const url = new URL('http://host/');
  const pools = [];
  for (let i = 0; i < MAX_POOLS; i++) pools.push(await transport.pool(url, `/socket${i}`));
  assert.equal(await transport.pool(url, '/socket0'), pools[0]);
  await transport.pool(url, '/one-more');
  assert.equal(await transport.pool(url, '/socket0'), pools[0]);
  assert.notEqual(await transport.pool(url, '/socket1'), pools[1]);
});

test('HTTP/2 is spoken where both sides do', async (t) => {
  const server = createSecureServer(
    { cert: SERVER_CERTIFICATE, key: SERVER_KEY, allowHTTP1: true },
    (request, response) => {
      response.end(request.httpVersion);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const newer = client(t, { ca: CA_CERTIFICATE }, true);
  const older = client(t, { ca: CA_CERTIFICATE }, false);
  assert.deepEqual([await ask(newer, url), await ask(newer, url), await ask(older, url)], ['2.0', '2.0', '1.1']);
  await Promise.all([newer.close(), older.close()]);
  server.close();
});
