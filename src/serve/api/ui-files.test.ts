import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeBackend, fakeOptions } from './_fake-backend.ts';
import { createServer } from './server.ts';

const directory = mkdtempSync(join(tmpdir(), 'coeus-ui-'));
after(() => rmSync(directory, { recursive: true }));
const PAGE = [
  '<!doctype html><head><title>Coeus</title><meta name="coeus-prefix" content="">',
  '<script type="module" src="./assets/app-1.js"></script><link rel="icon" href="/icon.svg"><a href="//other/x">',
].join('');
mkdirSync(join(directory, 'assets'));
writeFileSync(join(directory, 'index.html'), PAGE);
writeFileSync(join(directory, 'icon.svg'), '<svg/>');
writeFileSync(join(directory, 'secret.pem'), 'not to be served');
writeFileSync(join(directory, 'assets', 'app-1.js'), 'plain');
writeFileSync(join(directory, 'assets', 'app-1.js.br'), 'as brotli');
writeFileSync(join(directory, 'assets', 'app-1.js.gz'), 'as gzip');

test('the page knows its prefix and title, and links its files with the prefix', async () => {
  const { body, headers } = await createServer(fakeOptions({ uiDirectory: directory, routePrefix: '/p', pageTitle: 'A & <B>' }), new FakeBackend()).inject('/p/targets');
  assert.match(body, /<title>A &amp; &lt;B&gt;<\/title>/);
  assert.match(body, /<meta name="coeus-prefix" content="\/p">/);
  assert.match(body, /src="\/p\/assets\/app-1.js".*href="\/p\/icon.svg".*href="\/\/other\/x"/);
  assert.equal(headers['cache-control'], 'no-cache');
  assert.match(String(headers['content-security-policy']), /script-src 'self';/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('each page path shows the app, others do not', async () => {
  const plain = createServer(fakeOptions({ uiDirectory: directory }), new FakeBackend());
  for (const path of ['/', '/query', '/targets', '/status', '/flags', '/config']) assert.equal((await plain.inject(path)).statusCode, 200, path);
  for (const path of ['/nothing', '/index.html', '/assets/', '/assets/../index.html', '/secret.pem']) assert.equal((await plain.inject(path)).statusCode, 404, path);
});

// One row a file request: Accept-Encoding, then body and Content-Encoding.
const FILES: readonly (readonly [string, string, string | undefined])[] = [
  ['', 'plain', undefined],
  ['gzip, deflate, br, zstd', 'as brotli', 'br'],
  ['gzip', 'as gzip', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'as gzip', 'gzip'],
  ['zstd', 'plain', undefined],
];
for (const [accepted, body, encoding] of FILES) {
  test(`a built file for "${accepted}" is sent as ${encoding ?? 'it is'}`, async () => {
    const plain = createServer(fakeOptions({ uiDirectory: directory }), new FakeBackend());
    const response = await plain.inject({ url: '/assets/app-1.js', headers: accepted === '' ? {} : { 'accept-encoding': accepted } });
    assert.equal(response.body, body);
    assert.equal(response.headers['content-encoding'], encoding);
    assert.equal(response.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(response.headers['content-type'], 'text/javascript; charset=utf-8');
  });
}

test('an app that is not built says so', async () => {
  const response = await createServer(fakeOptions(), new FakeBackend()).inject('/');
  assert.equal(response.statusCode, 404);
  assert.match(response.body, /npm run build/);
});
