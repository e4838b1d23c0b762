import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PROXY_CONFIG, type ProxyConfig } from '../../core/model/http-client-config.ts';
import { proxyFor, type Environment } from './http-proxy.ts';

const through = (changes: Partial<ProxyConfig>): ProxyConfig => ({ ...NO_PROXY_CONFIG, ...changes });
const P = 'http://proxy:3128';

// Claim, configuration, URL, the proxy taken.
const cases: readonly (readonly [string, ProxyConfig, string, string, Environment?])[] = [
  ['nothing configured goes directly', NO_PROXY_CONFIG, 'http://a/', ''],
  ['proxy_url takes all', through({ proxyUrl: P }), 'http://127.0.0.1/', P],
  ['a listed host goes directly', through({ proxyUrl: P, noProxy: 'x,a' }), 'http://a/', ''],
  ['a domain covers its subdomains', through({ proxyUrl: P, noProxy: 'b.c' }), 'http://a.b.c/', ''],
  ['a domain covers no other that ends alike', through({ proxyUrl: P, noProxy: 'b.c' }), 'http://ab.c/', P],
  ['a leading dot leaves the domain itself out', through({ proxyUrl: P, noProxy: '.b.c' }), 'http://b.c/', P],
  ['a leading *. is a leading dot', through({ proxyUrl: P, noProxy: '*.b.c' }), 'http://a.b.c/', ''],
  ['* is all', through({ proxyUrl: P, noProxy: '*' }), 'https://a/', ''],
  ['a port restricts the entry', through({ proxyUrl: P, noProxy: 'a:81' }), 'http://a/', P],
  ['the default port counts', through({ proxyUrl: P, noProxy: 'a:443' }), 'https://a/', ''],
  ['a range covers its addresses', through({ proxyUrl: P, noProxy: '10.0.0.0/8' }), 'http://10.2.3.4:9100/', ''],
  ['a range covers no other address', through({ proxyUrl: P, noProxy: '10.0.0.0/8' }), 'http://11.2.3.4/', P],
  ['an IPv6 range', through({ proxyUrl: P, noProxy: 'fd00::/8' }), 'http://[fd00::1]/', ''],
  [
    'a malformed range covers nothing',
    through({ proxyUrl: P, noProxy: '10.0.0.0/99,10.0.0.0/x' }),
    'http://10.0.0.1/',
    P,
  ],
  ['an address is no domain', through({ proxyUrl: P, noProxy: '0.0.1' }), 'http://10.0.0.1/', P],
  ['with no_proxy, loopback goes directly', through({ proxyUrl: P, noProxy: 'x' }), 'http://localhost:1/', ''],
  [
    'the environment chooses by scheme',
    through({ proxyFromEnvironment: true }),
    'https://a/',
    'http://s:1',
    { HTTPS_PROXY: 'http://s:1', HTTP_PROXY: 'http://p:1' },
  ],
  [
    'lower case and without scheme',
    through({ proxyFromEnvironment: true }),
    'http://a/',
    'http://p:1',
    { http_proxy: 'p:1' },
  ],
  [
    'the environment excepts hosts',
    through({ proxyFromEnvironment: true }),
    'http://a/',
    '',
    { HTTP_PROXY: 'http://p:1', NO_PROXY: 'a' },
  ],
  ['the environment may say nothing', through({ proxyFromEnvironment: true }), 'http://a/', '', {}],
];
for (const [claim, config, url, want, environment] of cases) {
  test(`proxy: ${claim}`, () => assert.equal(proxyFor(new URL(url), config, environment ?? {}), want));
}
