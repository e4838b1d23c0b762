import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Clock } from '../../core/base/clock.ts';
import {
  DEFAULT_HTTP_CLIENT_CONFIG,
  JWT_BEARER_GRANT,
  NO_PROXY_CONFIG,
  NO_TLS_CONFIG,
  type HttpClientConfig,
  type OAuth2Config,
} from '../../core/model/http-client-config.ts';
import {
  BodyTooLargeError,
  createHttpClient,
  HttpRequestError,
  type HttpClient,
  type HttpResponse,
} from './http-client.ts';
import { MAX_TOKEN_BYTES, OAuth2Error } from './oauth2.ts';

const OAUTH2: OAuth2Config = {
  clientId: 'me',
  clientSecret: 's3cret',
  clientSecretFile: '',
  grantType: '',
  clientCertificateKeyId: '',
  clientCertificateKey: '',
  clientCertificateKeyFile: '',
  signatureAlgorithm: '',
  iss: '',
  audience: '',
  claims: new Map(),
  scopes: [],
  tokenUrl: '',
  endpointParams: new Map(),
  tls: NO_TLS_CONFIG,
  proxy: NO_PROXY_CONFIG,
};

async function serve(t: TestContext, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

function client(t: TestContext, changes: Partial<HttpClientConfig> = {}, clock?: Clock): HttpClient {
  const made = createHttpClient(
    { ...DEFAULT_HTTP_CLIENT_CONFIG, ...changes },
    { clock: clock ?? { nowMs: () => 0, monotonicMs: () => 0 }, environment: {} },
  );
  t.after(() => made.close());
  return made;
}

async function text(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of request) all += String(chunk);
  return all;
}

const never = new AbortController().signal;
const echo: RequestListener = (request, response) => {
  response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headersDistinct }));
};

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'coeus-http-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

test('a request carries path, query and headers, and gives status, headers and body', async (t) => {
  const { url } = await serve(t, (request, response) => {
    response.setHeader('X-Two', ['a', 'b']);
    response.statusCode = 418;
    echo(request, response);
  });
  const response = await client(t).request({
    url: `${url}/m?x=1&y=%20`,
    headers: { Accept: 'text/plain' },
    signal: never,
  });
  assert.equal(response.status, 418);
  assert.equal(response.headers['x-two'], 'a, b');
  const seen = JSON.parse(await text(response)) as { url: string; headers: Record<string, string[]> };
  assert.equal(seen.url, '/m?x=1&y=%20');
  assert.deepEqual(seen.headers['accept'], ['text/plain']);
});

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const authCases: readonly (readonly [string, Partial<HttpClientConfig>, string])[] = [
  ['basic auth', { basicAuth: { username: 'u', usernameFile: '', password: 'p:q', passwordFile: '' } }, basic('u:p:q')],
  ['a bearer token', { authorization: { type: 'Bearer', credentials: 'tok', credentialsFile: '' } }, 'Bearer tok'],
  ['another type', { authorization: { type: 'Key', credentials: 'tok', credentialsFile: '' } }, 'Key tok'],
];
for (const [claim, changes, want] of authCases) {
  test(`credentials: ${claim}`, async (t) => {
    const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
    assert.equal(await text(await client(t, changes).request({ url, signal: never })), want);
  });
}

test('credentials: userinfo in the URL is basic auth', async (t) => {
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  const withUser = url.replace('//', '//u:p%40@');
  assert.equal(await text(await client(t).request({ url: withUser, signal: never })), basic('u:p@'));
});

test('credential files are read for each request, and a missing one is named', async (t) => {
  const file = join(await folder(t), 'token');
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  const asking = client(t, { authorization: { type: 'Bearer', credentials: '', credentialsFile: file } });
  await writeFile(file, 'one\n');
  assert.equal(await text(await asking.request({ url, signal: never })), 'Bearer one');
  await writeFile(file, 'two\n');
  assert.equal(await text(await asking.request({ url, signal: never })), 'Bearer two');
  await rm(file);
  await assert.rejects(asking.request({ url, signal: never }), /unable to read authorization credentials file .*token/);
});

test('configured headers: values, secrets and files are sent in that order', async (t) => {
  const file = join(await folder(t), 'header');
  await writeFile(file, ' c \n');
  const { url } = await serve(t, echo);
  const asking = client(t, { httpHeaders: new Map([['X-Foo', { values: ['a'], secrets: ['b'], files: [file] }]]) });
  const seen = JSON.parse(await text(await asking.request({ url, signal: never }))) as {
    headers: Record<string, string[]>;
  };
  assert.deepEqual(seen.headers['x-foo'], ['a', 'b', 'c']);
});

test('redirects: followed on the same host with the credentials', async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/from') response.writeHead(302, { location: '/to' }).end('moved');
    else response.end(`${request.url} ${request.headers.authorization}`);
  });
  const asking = client(t, { authorization: { type: 'Bearer', credentials: 'x', credentialsFile: '' } });
  assert.equal(await text(await asking.request({ url: `${url}/from`, signal: never })), '/to Bearer x');
});

test('redirects: another host gets no credentials, nor does the first host after it', async (t) => {
  const { url: first } = await serve(t, (request, response) => {
    const port = (request.socket.address() as AddressInfo).port;
    if (request.url === '/from') response.writeHead(301, { location: `http://localhost:${port}/other` }).end();
    else if (request.url === '/other') response.writeHead(301, { location: `http://127.0.0.1:${port}/back` }).end();
    else response.end(JSON.stringify([request.headers.authorization ?? null, request.headers['x-key'] ?? null]));
  });
  const asking = client(t, {
    authorization: { type: 'Bearer', credentials: 'x', credentialsFile: '' },
    httpHeaders: new Map([['X-Key', { values: [], secrets: ['k'], files: [] }]]),
  });
  assert.equal(await text(await asking.request({ url: `${first}/from`, signal: never })), '[null,null]');
});

test('redirects: off, the redirect itself is the answer', async (t) => {
  const { url } = await serve(t, (_, response) => response.writeHead(302, { location: '/to' }).end());
  const response = await client(t, { followRedirects: false }).request({ url, signal: never });
  assert.equal(response.status, 302);
  await response.discard();
});

test('redirects: a loop ends', async (t) => {
  const { url } = await serve(t, (_, response) => response.writeHead(302, { location: '/' }).end());
  await assert.rejects(client(t).request({ url, signal: never }), /stopped after 10 redirects/);
});

test('redirects: to something that is no HTTP URL is refused', async (t) => {
  const { url } = await serve(t, (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());
  await assert.rejects(client(t).request({ url, signal: never }), HttpRequestError);
});

test('redirects: 303 turns POST into GET, 307 repeats it', async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/303') response.writeHead(303, { location: '/to' }).end();
    else if (request.url === '/307') response.writeHead(307, { location: '/to' }).end();
    else void bodyOf(request).then((body) => response.end(`${request.method} ${body}`));
  });
  const asking = client(t);
  assert.equal(
    await text(await asking.request({ url: `${url}/303`, method: 'POST', body: 'b', signal: never })),
    'GET ',
  );
  assert.equal(
    await text(await asking.request({ url: `${url}/307`, method: 'POST', body: 'b', signal: never })),
    'POST b',
  );
});

test('a body past its limit is an error, one at the limit is not', async (t) => {
  const { url } = await serve(t, (_, response) => response.end('x'.repeat(1000)));
  const asking = client(t);
  assert.equal((await text(await asking.request({ url, signal: never, maxBodyBytes: 1000 }))).length, 1000);
  await assert.rejects(text(await asking.request({ url, signal: never, maxBodyBytes: 999 })), BodyTooLargeError);
});

test('the signal ends a request that gets no answer, with its own reason', async (t) => {
  const ended = new AbortController();
  const { url } = await serve(t, () => ended.abort(new Error('time is up')));
  await assert.rejects(client(t).request({ url, signal: ended.signal }), /time is up/);
});

test('the signal ends a body that drips', async (t) => {
  const ended = new AbortController();
  const { url } = await serve(t, (_, response) => response.write('a'));
  const response = await client(t).request({ url, signal: ended.signal });
  await assert.rejects(async () => {
    for await (const _ of response.body) ended.abort(new Error('time is up'));
  }, /time is up/);
});

test('a refused connection names method, URL and reason, but no password', async (t) => {
  const { url, server } = await serve(t, echo);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const withUser = url.replace('//', '//u:secret@');
  await assert.rejects(client(t).request({ url: withUser, signal: never }), (error: Error) => {
    assert.ok(error instanceof HttpRequestError);
    assert.match(error.message, /^GET http:\/\/u:xxxxx@127.*ECONNREFUSED/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test('a kept connection that the server has cut is replaced', async (t) => {
  let requests = 0;
  const { url } = await serve(t, (request, response) => {
    requests++;
    if (requests === 2) request.socket.destroy();
    else response.end('ok');
  });
  const asking = client(t);
  assert.equal(await text(await asking.request({ url, signal: never })), 'ok');
  assert.equal(await text(await asking.request({ url, signal: never })), 'ok');
  assert.equal(requests, 3);
});

test('a unix socket stands in for the host', async (t) => {
  const path = join(await folder(t), 'socket');
  const server = createServer(echo);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  const asking = client(t);
  const response = await asking.request({ url: 'http://docker/x', unixSocket: path, signal: never });
  assert.match(await text(response), /"host":\["docker"\]/);
  await asking.close();
});

test('a proxy gets plain requests in absolute form', async (t) => {
  const { url } = await serve(t, (request, response) => response.end(`proxied ${request.url}`));
  const asking = client(t, { proxy: { ...NO_PROXY_CONFIG, proxyUrl: url } });
  assert.equal(
    await text(await asking.request({ url: 'http://target.test/m', signal: never })),
    'proxied http://target.test/m',
  );
});

test('a proxy is asked to tunnel TLS, with the CONNECT headers', async (t) => {
  const seen: string[] = [];
  const { url, server } = await serve(t, echo);
  server.on('connect', (request: IncomingMessage, socket) => {
    seen.push(`${request.url} ${String(request.headers['x-tenant'])}`);
    const refused = connect(1, '127.0.0.1');
    refused.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  const asking = client(t, {
    proxy: { ...NO_PROXY_CONFIG, proxyUrl: url, proxyConnectHeader: new Map([['X-Tenant', ['t']]]) },
  });
  await assert.rejects(asking.request({ url: 'https://target.test/m', signal: never }), /502/);
  assert.deepEqual(seen, ['target.test:443 t']);
});

test('oauth2: one token serves until shortly before it ends', async (t) => {
  let now = 0;
  const grants: string[] = [];
  const { url: tokenUrl } = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      grants.push(`${request.headers.authorization} ${body}`);
      response.end(JSON.stringify({ access_token: `t${grants.length}`, token_type: 'bearer', expires_in: 60 }));
    });
  });
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  const oauth2 = { ...OAUTH2, tokenUrl, scopes: ['a', 'b'], endpointParams: new Map([['x', 'y']]) };
  const asking = client(t, { oauth2 }, { nowMs: () => now, monotonicMs: () => now });
  const ask = async (): Promise<string> => text(await asking.request({ url, signal: never }));
  assert.deepEqual(await Promise.all([ask(), ask()]), ['Bearer t1', 'Bearer t1']);
  now = 49_999;
  assert.equal(await ask(), 'Bearer t1');
  now = 50_000;
  assert.equal(await ask(), 'Bearer t2');
  assert.equal(grants[0], `${basic('me:s3cret')} grant_type=client_credentials&scope=a+b&x=y`);
  assert.equal(grants.length, 2);
});

test('oauth2: a server that wants the secret in the body gets it there', async (t) => {
  const { url: tokenUrl } = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      if (request.headers.authorization !== undefined) response.writeHead(401).end('no');
      else response.end(JSON.stringify({ access_token: body }));
    });
  });
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  const answer = await text(await client(t, { oauth2: { ...OAUTH2, tokenUrl } }).request({ url, signal: never }));
  assert.equal(answer, 'Bearer grant_type=client_credentials&client_id=me&client_secret=s3cret');
});

const badTokens: readonly (readonly [string, RequestListener, RegExp])[] = [
  ['a refusal', (_, response) => response.writeHead(403).end('go away'), /cannot fetch token: 403 Forbidden: go away/],
  ['no token', (_, response) => response.end('{}'), /missing access_token/],
  ['no JSON', (_, response) => response.end('<html>'), /is not JSON/],
  ['an endless answer', (_, response) => response.end('x'.repeat(MAX_TOKEN_BYTES + 1)), /body exceeds 1048576 bytes/],
];
for (const [claim, listener, message] of badTokens) {
  test(`oauth2: ${claim} fails the request`, async (t) => {
    const { url: tokenUrl } = await serve(t, listener);
    const { url } = await serve(t, echo);
    await assert.rejects(client(t, { oauth2: { ...OAUTH2, tokenUrl } }).request({ url, signal: never }), message);
  });
}

test('oauth2: a JWT signed with the key is the grant', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const forms: URLSearchParams[] = [];
  const { url: tokenUrl } = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      forms.push(new URLSearchParams(body));
      response.end(JSON.stringify({ access_token: 'j' }));
    });
  });
  const oauth2: OAuth2Config = {
    ...OAUTH2,
    tokenUrl,
    grantType: JWT_BEARER_GRANT,
    signatureAlgorithm: 'RS512',
    clientCertificateKey: pem,
    clientCertificateKeyId: 'k1',
    claims: new Map([['role', 'reader']]),
  };
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  assert.equal(await text(await client(t, { oauth2 }).request({ url, signal: never })), 'Bearer j');
  const [head = '', payload = ''] = forms[0]!.get('assertion')!.split('.');
  const decode = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual(decode(head), { alg: 'RS512', typ: 'JWT', kid: 'k1' });
  const { role, iss, aud, iat, exp } = decode(payload);
  assert.deepEqual({ role, iss, aud, iat, exp }, { role: 'reader', iss: 'me', aud: tokenUrl, iat: 0, exp: 3600 });
  const broken = client(t, { oauth2: { ...oauth2, clientCertificateKey: 'no key' } });
  await assert.rejects(broken.request({ url, signal: never }), OAuth2Error);
});

test('credentials: a stray % in the URL stands for itself', async (t) => {
  const { url } = await serve(t, (request, response) => response.end(request.headers.authorization));
  const withUser = url.replace('//', '//u:100%25%zz@');
  assert.equal(await text(await client(t).request({ url: withUser, signal: never })), basic('u:100%%zz'));
});

const brokenSettings: readonly (readonly [string, Partial<HttpClientConfig>])[] = [
  ['a certificate that is none', { tls: { ...NO_TLS_CONFIG, cert: 'x', key: 'y' } }],
  ['a proxy of an unknown scheme', { proxy: { ...NO_PROXY_CONFIG, proxyUrl: 'gopher://p' } }],
  ['a proxy whose password is badly escaped', { proxy: { ...NO_PROXY_CONFIG, proxyUrl: 'http://u:%zz@127.0.0.1:1' } }],
  ['a header that can not be sent', { httpHeaders: new Map([['X', { values: ['a\nb'], secrets: [], files: [] }]]) }],
];
for (const [claim, changes] of brokenSettings) {
  test(`${claim} fails the request, and nothing else`, async (t) => {
    await assert.rejects(client(t, changes).request({ url: 'https://127.0.0.1:1/', signal: never }), HttpRequestError);
  });
}

test('a closed client refuses requests', async (t) => {
  const closed = client(t);
  await closed.close();
  await assert.rejects(closed.request({ url: 'http://127.0.0.1:1/', signal: never }), /the HTTP client is closed/);
});

test('a URL of another scheme is refused', async (t) => {
  await assert.rejects(client(t).request({ url: 'ftp://x/', signal: never }), HttpRequestError);
});
