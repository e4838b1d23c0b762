/**
 * Which proxy a request goes through.
 *
 * `proxy_url` alone takes every request; with `no_proxy` or from the environment, Go's rules hold: loopback is always
 * reached directly, and entries are hosts, domains (with their subdomains), addresses, CIDR ranges, each with an optional
 * port, or `*`.
 * Source: golang.org/x/net/http/httpproxy, Config.
 */
import { BlockList, isIP } from 'node:net';
import type { ProxyConfig } from '../../core/model/http-client-config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy's URL for a request to `url`, or '' to go directly. */
export function proxyFor(url: URL, config: ProxyConfig, environment: Environment): string {
  if (config.proxyFromEnvironment) {
    const proxy = variable(environment, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
    if (proxy === '' || isLoopback(hostOf(url)) || bypasses(url, variable(environment, 'NO_PROXY'))) return '';
    return proxy.includes('://') ? proxy : `http://${proxy}`;
  }
  if (config.proxyUrl === '' || config.noProxy === '') return config.proxyUrl;
  return isLoopback(hostOf(url)) || bypasses(url, config.noProxy) ? '' : config.proxyUrl;
}

function variable(environment: Environment, name: string): string {
  return environment[name] ?? environment[name.toLowerCase()] ?? '';
}

function bypasses(url: URL, noProxy: string): boolean {
  const host = hostOf(url);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return noProxy.split(',').some((entry) => entryCovers(entry.trim().toLowerCase(), host, port));
}

function entryCovers(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return rangeCovers(entry, host);
  const { name, port: wantedPort } = splitPort(entry);
  if (wantedPort !== '' && wantedPort !== port) return false;
  if (isIP(name) !== 0 || isIP(host) !== 0) return name === host;
  // `.b.c` and `*.b.c` cover only subdomains, `b.c` the domain as well.
  const domain = name.startsWith('*.') ? name.slice(1) : name;
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function rangeCovers(range: string, host: string): boolean {
  const [address = '', prefix = ''] = range.split('/');
  const family = isIP(address);
  const bits = /^\d+$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || isIP(host) !== family || !(bits <= (family === 4 ? 32 : 128))) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, bits, kind);
  return list.check(host, kind);
}

function splitPort(entry: string): { name: string; port: string } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1]!, port: bracketed[2] ?? '' };
  if (isIP(entry) !== 0) return { name: entry, port: '' };
  const plain = /^(.*):(\d+)$/.exec(entry);
  return plain ? { name: plain[1]!, port: plain[2]! } : { name: entry, port: '' };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
