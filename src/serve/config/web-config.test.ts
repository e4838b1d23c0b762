import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkWebConfig, loadWebConfig, WebConfigFile } from './load-web-config.ts';
import { parseWebConfig } from './web-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'coeus-web-config-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'web.yml');

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const openssl = (...args: string[]): void => {
  assert.equal(spawnSync('openssl', args, { cwd: folder }).status, 0, args.join(' '));
};
if (hasOpenssl) {
  for (const name of ['a', 'b']) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
    openssl('req', '-x509', ...key, '-out', `${name}.crt`, '-days', '2', '-subj', '/CN=localhost');
  }
}

const HASH = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';
const PAIR = 'cert_file: a.crt, key_file: a.key';

// One row a file that means something: claim, text. Verified with promtool 2.42, except for fields that it does not have.
const GOOD: readonly (readonly [string, string])[] = [
  ['an empty file', ''],
  ['an empty section', 'tls_server_config: {}'],
  ['versions alone ask for no TLS', 'tls_server_config: { min_version: TLS13 }'],
  ['a user', `basic_auth_users: { a: ${HASH} }`],
  ['a user without a name', `basic_auth_users: { "": ${HASH} }`],
  [
    'headers',
    'http_server_config: { http2: no, headers: { X-Frame-Options: deny, Strict-Transport-Security: max-age=1 } }',
  ],
  ['a header that is unset', 'http_server_config: { headers: { X-Frame-Options: "" } }'],
  ['a rate limit', 'rate_limit: { interval: 10ms, burst: 5 }'],
];
const GOOD_TLS: readonly (readonly [string, string])[] = [
  ['certificate and key', `tls_server_config: { ${PAIR} }`],
  [
    'clients with certificates',
    `tls_server_config: { ${PAIR}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: b.crt, client_allowed_sans: [x] }`,
  ],
  [
    'versions, ciphers, curves',
    `tls_server_config: { ${PAIR}, min_version: TLS12, max_version: TLS12, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP384, X25519] }`,
  ],
];

// One row a file that does not: text, message. Lines of promtool 2.42, with the place added.
const BAD: readonly (readonly [string, string])[] = [
  ['foo: 1', 'yaml: unmarshal errors:\n  line 1: field foo not found in type web.Config (column 1, foo)'],
  ['[1]', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into web.Config (column 1)'],
  ['a: b: c', 'yaml: line 1: bad indentation of a mapping entry (column 5)'],
  ['tls_server_config: { cert_file: a.crt }', 'missing one of key or key_file (line 1, column 20, tls_server_config)'],
  ['tls_server_config: { key_file: a.key }', 'missing one of cert or cert_file (line 1, column 20, tls_server_config)'],
  [
    'tls_server_config: { client_auth_type: NoClientCert }',
    'missing one of cert or cert_file (line 1, column 20, tls_server_config)',
  ],
  [
    `tls_server_config: { ${PAIR}, cert: x }`,
    'at most one of cert and cert_file must be configured (line 1, column 22, tls_server_config.cert_file)',
  ],
  [
    `tls_server_config: { ${PAIR}, client_ca_file: b.crt }`,
    "Client CA's have been configured without a Client Auth Policy (line 1, column 57, tls_server_config.client_ca_file)",
  ],
  [
    `tls_server_config: { ${PAIR}, client_auth_type: Foo }`,
    'Invalid ClientAuth: Foo (line 1, column 75, tls_server_config.client_auth_type)',
  ],
  [
    `tls_server_config: { ${PAIR}, client_auth_type: RequestClientCert, client_allowed_sans: [a] }`,
    'client_allowed_sans needs a client_auth_type of RequireAnyClientCert or RequireAndVerifyClientCert (line 1, column 94, tls_server_config.client_allowed_sans)',
  ],
  [
    'tls_server_config: { min_version: TLS09 }',
    'unknown TLS version: TLS09 (line 1, column 35, tls_server_config.min_version)',
  ],
  [
    `tls_server_config: { ${PAIR}, min_version: TLS13, max_version: TLS12 }`,
    'max_version is lower than min_version (line 1, column 77, tls_server_config.max_version)',
  ],
  [
    'tls_server_config: { cipher_suites: [foo] }',
    'unknown cipher: foo (line 1, column 38, tls_server_config.cipher_suites[0])',
  ],
  [
    'tls_server_config: { cipher_suites: [TLS_RSA_WITH_RC4_128_SHA] }',
    'unknown cipher: TLS_RSA_WITH_RC4_128_SHA (line 1, column 38, tls_server_config.cipher_suites[0])',
  ],
  [
    'tls_server_config: { cipher_suites: [toString] }',
    'unknown cipher: toString (line 1, column 38, tls_server_config.cipher_suites[0])',
  ],
  [
    'tls_server_config: { curve_preferences: [foo] }',
    'unknown curve: foo (line 1, column 42, tls_server_config.curve_preferences[0])',
  ],
  [
    'http_server_config: { http2: maybe }',
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `maybe` into bool (column 30, http_server_config.http2)',
  ],
  [
    'http_server_config: { headers: { Foo: bar } }',
    'HTTP header "Foo" can not be configured (line 1, column 34, http_server_config.headers.Foo)',
  ],
  [
    'http_server_config: { headers: { x-xss-protection: bar } }',
    'HTTP header "x-xss-protection" can not be configured (line 1, column 34, http_server_config.headers.x-xss-protection)',
  ],
  [
    'http_server_config: { headers: { X-Frame-Options: DENY } }',
    'invalid value for X-Frame-Options. Expected one of: ["deny" "sameorigin"], but got: "DENY" (line 1, column 23, http_server_config.headers)',
  ],
  [
    'http_server_config: { headers: { X-Content-Type-Options: bar } }',
    'invalid value for X-Content-Type-Options. Expected one of: ["nosniff"], but got: "bar" (line 1, column 23, http_server_config.headers)',
  ],
  [
    'basic_auth_users: { a: b }',
    'crypto/bcrypt: hashedSecret too short to be a bcrypted password (line 1, column 24, basic_auth_users.a)',
  ],
  [
    'basic_auth_users: { a: "" }',
    'crypto/bcrypt: hashedSecret too short to be a bcrypted password (line 1, column 24, basic_auth_users.a)',
  ],
  ['basic_auth_users: { a: }', 'user "a" has no password hash (line 1, column 1, basic_auth_users)'],
  [
    `basic_auth_users: { a: ${HASH.replace('2y', '3y')} }`,
    "crypto/bcrypt: bcrypt algorithm version '3' requested is newer than current version '2' (line 1, column 24, basic_auth_users.a)",
  ],
  [
    `basic_auth_users: { a: ${HASH.replace('$10', '$02')} }`,
    'crypto/bcrypt: cost 2 is outside allowed range (4,31) (line 1, column 24, basic_auth_users.a)',
  ],
  [
    `basic_auth_users: { a: ${'x'.repeat(60)} }`,
    'not a bcrypt hash: it begins with $2y$, $2a$ or $2b$ and its cost (line 1, column 24, basic_auth_users.a)',
  ],
  [
    'rate_limit: { interval: 1s }',
    'burst must be at least 1, else no request is let in (line 1, column 13, rate_limit.burst)',
  ],
];

function check(text: string): string {
  writeFileSync(file, text);
  return checkWebConfig(file).message.replaceAll(`${folder}/`, '');
}

for (const [claim, text] of GOOD) test(`takes ${claim}`, () => assert.equal(check(text), 'web.yml SUCCESS'));
for (const [claim, text] of GOOD_TLS) {
  test(`takes ${claim}`, { skip: !hasOpenssl && 'openssl is not installed' }, () =>
    assert.equal(check(text), 'web.yml SUCCESS'),
  );
}
for (const [text, message] of BAD)
  test(`refuses ${text}`, () => assert.equal(check(text), `web.yml FAILED: ${message}`));

// One row a certificate that can't be served: text, beginning of the message.
const BAD_FILES: readonly (readonly [string, string])[] = [
  ['cert_file: none.crt, key_file: a.key', 'open none.crt: no such file or directory'],
  ['cert_file: a.crt, key_file: none.key', 'open none.key: no such file or directory'],
  ['cert_file: a.key, key_file: a.key', 'failed to load X509KeyPair: no certificate: '],
  ['cert_file: a.crt, key_file: a.crt', 'failed to load X509KeyPair: no private key: '],
  ['cert_file: a.crt, key_file: b.key', 'failed to load X509KeyPair: private key does not match public key'],
  ['cert: abc, key: def', 'failed to load X509KeyPair: no certificate: '],
  [
    `${PAIR}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: none.crt`,
    'open none.crt: no such file or directory',
  ],
  [`${PAIR}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: a.key`, 'no certificate in the client CA: '],
];
for (const [tls, message] of BAD_FILES) {
  test(`refuses ${tls}`, { skip: !hasOpenssl && 'openssl is not installed' }, () => {
    const said = check(`tls_server_config: { ${tls} }`);
    assert.equal(said.slice(0, 'web.yml FAILED: '.length + message.length), `web.yml FAILED: ${message}`);
  });
}

test('a file that is missing is told', () => {
  assert.deepEqual(checkWebConfig(join(folder, 'none.yml')), {
    ok: false,
    message: `${folder}/none.yml FAILED: open ${folder}/none.yml: no such file or directory`,
  });
});

test('versions and ciphers are those of OpenSSL, and the suites of TLS 1.3 stay', { skip: !hasOpenssl }, () => {
  writeFileSync(
    file,
    `tls_server_config: { ${PAIR}, min_version: TLS11, cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP384, X25519] }`,
  );
  const { context } = loadWebConfig(file).tls!;
  assert.equal(context.minVersion, 'TLSv1.1');
  assert.equal(context.maxVersion, 'TLSv1.3');
  assert.equal(
    context.ciphers,
    'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  );
  assert.equal(context.ecdhCurve, 'P-384:X25519');
  assert.equal(context.honorCipherOrder, true);
});

test('a change of the file counts at once, one that means nothing fails until it is mended', () => {
  // The clock of files may stand still between two writes.
  let mtime = 1;
  const write = (text: string): void => {
    writeFileSync(file, text);
    utimesSync(file, mtime, mtime++);
  };
  write('');
  const source = new WebConfigFile(file);
  const before = source.current();
  assert.equal(source.current(), before);
  write(`basic_auth_users: { a: ${HASH} }`);
  assert.deepEqual([...source.current().config.users.keys()], ['a']);
  write('foo: 1');
  assert.throws(() => source.current(), /field foo not found/);
  assert.throws(() => source.current(), /field foo not found/);
  write('');
  assert.equal(source.current().config.users.size, 0);
  rmSync(file);
  assert.throws(() => source.current(), /no such file/);
});

test('secrets are not shown by errors', () => {
  assert.throws(
    () => parseWebConfig(`basic_auth_users: { a: ${'s3cret'.repeat(20)} }`, '.'),
    (error: Error) => !error.message.includes('s3cret'),
  );
});
