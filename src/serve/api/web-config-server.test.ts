import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { asAsync, FakeBackend, fakeOptions } from './_fake-backend.ts';
import { createServer } from './server.ts';
import type { ServerOptions } from './server-options.ts';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
const skipUsers = isInstalled('bcryptjs') ? false : 'bcryptjs is not installed: run npm ci';

function isInstalled(name: string): boolean {
  try {
    return import.meta.resolve(name) !== '';
  } catch {
    return false;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'coeus-web-server-'));
const file = join(folder, 'web.yml');
const read = (name: string): Buffer => readFileSync(join(folder, name));
after(() => rmSync(folder, { recursive: true }));

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** Two certificates of the server, and clients: known, one without names, one of another authority. */
before(() => {
  if (skip !== false) return;
  const key = (name: string): string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  for (const name of ['server', 'other', 'ca'])
    openssl(
      'req',
      '-x509',
      ...key(name),
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    );
  for (const [name, names] of [
    ['known', 'subjectAltName=DNS:known.example,IP:::1'],
    ['nameless', 'keyUsage=digitalSignature'],
  ] as const) {
    openssl(
      'req',
      '-x509',
      ...key(name),
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-addext',
      names,
    );
  }
  openssl('req', '-x509', ...key('stranger'), '-out', 'stranger.crt', '-days', '2', '-subj', '/CN=stranger');
});

let mtime = 1;
/** Each version of the file has a time of its own, however fast they follow. */
function write(text: string): void {
  writeFileSync(file, text);
  utimesSync(file, mtime, mtime++);
}

async function withServer(
  text: string,
  run: (port: number, backend: FakeBackend) => Promise<void>,
  changes: Partial<ServerOptions> = {},
): Promise<void> {
  write(text);
  const backend = new FakeBackend();
  const server = createServer(fakeOptions({ webConfigFile: file, ...changes }), backend);
  await server.listen();
  try {
    await run(server.addresses[0]!.port, backend);
  } finally {
    await server.close();
  }
}

interface Answered {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

function answered(
  send: typeof httpRequest | typeof httpsRequest,
  options: RequestOptions,
  body = '',
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = send({ host: '127.0.0.1', path: '/-/healthy', agent: false, ...options }, (response) => {
      let text = '';
      response.on('data', (piece) => (text += String(piece)));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const https = (port: number, options: RequestOptions = {}, body = ''): Promise<Answered> =>
  answered(httpsRequest, { port, ca: skip === false ? read('server.crt') : '', ...options }, body);
const http = (port: number, options: RequestOptions = {}): Promise<Answered> =>
  answered(httpRequest, { port, ...options });

/** A request over HTTP/2. */
function http2(port: number, headers: Record<string, string>, body = ''): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`https://localhost:${port}`, {
      ca: read('server.crt'),
      host: '127.0.0.1',
    } as ConnectionOptions);
    session.on('error', reject);
    const stream = session.request(headers, { endStream: body === '' });
    let text = '';
    let answer: NodeJS.Dict<string | string[]> = {};
    stream.on('response', (received) => (answer = received as NodeJS.Dict<string | string[]>));
    stream.on('data', (piece) => (text += String(piece)));
    stream.on('end', () => {
      session.close();
      resolve({ status: Number(answer[':status']), headers: answer, text });
    });
    if (body !== '') stream.end(body);
  });
}

const PAIR = 'cert_file: server.crt, key_file: server.key';
const TLS = `tls_server_config: { ${PAIR} }`;

test('an empty file serves plain HTTP', () =>
  withServer('', async (port) => assert.equal((await http(port)).status, 200)));

test('a file that is wrong keeps the server from listening', async () => {
  write('foo: 1');
  const server = createServer(fakeOptions({ webConfigFile: file }), new FakeBackend());
  await assert.rejects(server.listen(), /field foo not found/);
  assert.deepEqual(server.addresses, []);
  await server.close();
});

test('it serves HTTPS over HTTP/1.1 and HTTP/2, and no plain HTTP', { skip }, () =>
  withServer(TLS, async (port) => {
    assert.equal((await https(port)).text, 'Prometheus Server is Healthy.\n');
    assert.equal((await http2(port, { ':path': '/-/healthy' })).text, 'Prometheus Server is Healthy.\n');
    await assert.rejects(http(port));
  }),
);

test('HTTP/2 carries queries, forms, streamed answers and errors', { skip }, () =>
  withServer(TLS, async (port, backend) => {
    const form = { ':method': 'POST', ':path': '/api/v1/query', 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal(
      (await http2(port, form, 'query=1&time=5')).text,
      '{"status":"success","data":{"resultType":"scalar","result":[5,"1"]}}',
    );
    const piece = 'x'.repeat(100_000);
    backend.answer = () => Promise.resolve(asAsync([piece, piece, piece].map((text) => Buffer.from(text))));
    assert.equal((await http2(port, { ':path': '/api/v1/query?query=1' })).text, piece.repeat(3));
    assert.equal((await http2(port, { ':path': '/nothing' })).status, 404);
    assert.equal((await http2(port, form, 'x'.repeat(11 * 1024 * 1024))).status, 413);
  }),
);

test('HTTP/2 can be switched off', { skip }, () =>
  withServer(`${TLS}\nhttp_server_config: { http2: false }`, async (port) => {
    assert.equal((await https(port)).status, 200);
    const socket = connectTls({ port, host: '127.0.0.1', ca: read('server.crt'), ALPNProtocols: ['h2', 'http/1.1'] });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  }),
);

// One row a policy and a client's certificate: whether the client is let in.
const LET_IN = { '': 1, known: 1, nameless: 1, stranger: 1 };
const POLICIES: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['client_auth_type: NoClientCert', LET_IN],
  ['client_auth_type: RequestClientCert, client_ca_file: ca.crt', LET_IN],
  ['client_auth_type: RequireAnyClientCert, client_ca_file: ca.crt', { ...LET_IN, '': 0 }],
  ['client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.crt', { ...LET_IN, stranger: 0 }],
  [
    'client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt',
    { '': 0, known: 1, nameless: 1, stranger: 0 },
  ],
  [
    'client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, client_allowed_sans: [a, known.example]',
    { '': 0, known: 1, nameless: 0, stranger: 0 },
  ],
  [
    'client_auth_type: RequireAnyClientCert, client_allowed_sans: ["::1"]',
    { '': 0, known: 1, nameless: 0, stranger: 0 },
  ],
];
for (const [policy, clients] of POLICIES) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${policy}, ${version}`, { skip }, () =>
      withServer(`tls_server_config: { ${PAIR}, ${policy} }`, async (port) => {
        const let_in: Record<string, number> = {};
        for (const name of Object.keys(clients)) {
          const own = name === '' ? {} : { cert: read(`${name}.crt`), key: read(`${name}.key`) };
          const isIn = await https(port, { ...own, minVersion: version, maxVersion: version }).then(
            () => 1,
            () => 0,
          );
          let_in[name] = isIn;
        }
        assert.deepEqual(let_in, clients);
      }),
    );
  }
}

test('versions below the lowest are refused', { skip }, () =>
  withServer(`tls_server_config: { ${PAIR}, min_version: TLS13 }`, async (port) => {
    assert.equal((await https(port, { minVersion: 'TLSv1.3' })).status, 200);
    await assert.rejects(https(port, { maxVersion: 'TLSv1.2' }));
  }),
);

test('a new certificate serves the next connection; a broken file serves none; TLS stays on', { skip }, () =>
  withServer(TLS, async (port) => {
    const other = { ca: skip === false ? read('other.crt') : '' };
    await assert.rejects(https(port, other));
    write('tls_server_config: { cert_file: other.crt, key_file: other.key }');
    assert.equal((await https(port, other)).status, 200);
    await assert.rejects(https(port));
    write('tls_server_config: { cert_file: server.crt, key_file: other.key }');
    await assert.rejects(https(port, other));
    await assert.rejects(https(port));
    write('');
    await assert.rejects(http(port));
    write(TLS);
    assert.equal((await https(port)).status, 200);
  }),
);

test('a connection that was open before goes on', { skip }, () =>
  withServer(TLS, async (port, backend) => {
    const began = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    backend.answer = async () => {
      began.resolve();
      await go.promise;
      return asAsync([Buffer.from('whole')]);
    };
    const slow = https(port, { path: '/api/v1/query?query=1' });
    await began.promise;
    write('tls_server_config: { cert_file: other.crt, key_file: other.key }');
    assert.equal((await https(port, { ca: read('other.crt') })).status, 200);
    go.resolve();
    assert.equal((await slow).text, 'whole');
  }),
);

test('a client that sends half a request is cut after its time', { skip }, () =>
  withServer(
    TLS,
    async (port) => {
      const half = connectTls({ port, host: '127.0.0.1', ca: read('server.crt') }, () =>
        half.write('GET / HTTP/1.1\r\n'),
      );
      const text = await new Promise<string>((resolve) => {
        let seen = '';
        half.on('data', (piece) => (seen += String(piece)));
        half.on('close', () => resolve(seen));
      });
      assert.match(text, /^HTTP\/1\.1 408 /);
    },
    { readTimeoutMs: 20 },
  ),
);

test('connections beyond the bound are closed', { skip }, () =>
  withServer(
    TLS,
    async (port) => {
      const held = connectTcp(port, '127.0.0.1');
      await new Promise((resolve) => held.once('connect', resolve));
      await assert.rejects(https(port));
      held.destroy();
      await new Promise((resolve) => held.once('close', resolve));
    },
    { maxConnections: 1 },
  ),
);

test('closing ends idle connections and waits for the others', { skip }, async () => {
  write(TLS);
  const backend = new FakeBackend();
  const server = createServer(fakeOptions({ webConfigFile: file }), backend);
  await server.listen();
  const idle = connectTls({ port: server.addresses[0]!.port, host: '127.0.0.1', ca: read('server.crt') });
  await new Promise((resolve) => idle.once('secureConnect', resolve));
  const ended = new Promise((resolve) => idle.once('close', resolve));
  await server.close(20);
  await ended;
});

test('headers are set on every answer, before our own', () =>
  withServer(
    'http_server_config: { headers: { X-Frame-Options: deny, Strict-Transport-Security: max-age=9, X-XSS-Protection: "" } }',
    async (port) => {
      for (const path of ['/-/healthy', '/nothing', '/api/v1/status/flags', '/']) {
        const { headers } = await http(port, { path });
        assert.equal(headers['x-frame-options'], 'deny', path);
        assert.equal(headers['strict-transport-security'], 'max-age=9', path);
        assert.equal(headers['x-xss-protection'], '', path);
      }
    },
  ));

test('a rate limit turns away what is over it', () => {
  let nowMs = 0;
  return withServer(
    'rate_limit: { interval: 1s, burst: 2 }',
    async (port) => {
      const statuses = async (): Promise<number[]> => {
        const seen: number[] = [];
        for (let i = 0; i < 3; i++) seen.push((await http(port)).status);
        return seen;
      };
      assert.deepEqual(await statuses(), [200, 200, 429]);
      nowMs = 1500;
      assert.deepEqual(await statuses(), [200, 429, 429]);
      nowMs = 1_000_000;
      assert.deepEqual(await statuses(), [200, 200, 429]);
    },
    { clock: { nowMs: () => 0, monotonicMs: () => nowMs } },
  );
});

/** Of `secret`, cost 4. */
const HASH = '$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW';
const basic = (user: string, password: string): RequestOptions => ({ auth: `${user}:${password}` });

// One row a request: what is sent, status.
const CREDENTIALS: readonly (readonly [string, RequestOptions, number])[] = [
  ['nothing', {}, 401],
  ['the right password', basic('ann', 'secret'), 200],
  ['the right password again', basic('ann', 'secret'), 200],
  ['a wrong password', basic('ann', 'Secret'), 401],
  ['no password', basic('ann', ''), 401],
  ['another user', basic('bob', 'secret'), 401],
  ['a user named like an object’s member', basic('__proto__', 'secret'), 401],
  ['a token', { headers: { authorization: 'Bearer secret' } }, 401],
  ['credentials that are no base64', { headers: { authorization: 'Basic ?' } }, 401],
  [
    'credentials without a colon',
    { headers: { authorization: `Basic ${Buffer.from('ann').toString('base64')}` } },
    401,
  ],
  [
    'the scheme in other letters',
    { headers: { authorization: `bAsIC ${Buffer.from('ann:secret').toString('base64')}` } },
    200,
  ],
];
test('users log in with their passwords', { skip: skipUsers }, (t) =>
  withServer(`basic_auth_users: { ann: ${HASH} }`, async (port) => {
    for (const [claim, options, want] of CREDENTIALS) {
      await t.test(claim, async () => {
        const { status, headers, text } = await http(port, { path: '/-/healthy', ...options });
        assert.equal(status, want);
        if (want === 401) assert.deepEqual([headers['www-authenticate'], text], ['Basic', 'Unauthorized\n']);
      });
    }
  }),
);

test('a user who is taken out of the file is out, and no one is in while it can not be read', { skip: skipUsers }, () =>
  withServer(`basic_auth_users: { ann: ${HASH} }`, async (port) => {
    assert.equal((await http(port, basic('ann', 'secret'))).status, 200);
    write(`basic_auth_users: { bob: ${HASH} }`);
    assert.equal((await http(port, basic('ann', 'secret'))).status, 401);
    assert.equal((await http(port, basic('bob', 'secret'))).status, 200);
    write('foo: 1');
    assert.equal((await http(port, basic('bob', 'secret'))).status, 500);
  }),
);
