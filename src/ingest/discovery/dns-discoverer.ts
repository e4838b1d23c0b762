/**
 * Targets from DNS records: one group for each name.
 *
 * A name that does not exist has no targets; a lookup that fails keeps those of before, while the other names go on.
 * Source: Prometheus, discovery/dns.
 */
import type { MxRecord, SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { labelsFromPairs } from '../../core/model/labels.ts';
import type { Refresh } from './refresh.ts';
import type { DnsSdConfig } from './sd-config.ts';
import type { SdMetrics } from './sd-metrics.ts';
import { ADDRESS_LABEL, type TargetGroup } from './target-group.ts';

/** The lookups of node:dns that are used; tests give their own. */
export interface DnsResolver {
  resolveSrv(name: string): Promise<SrvRecord[]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveMx(name: string): Promise<MxRecord[]>;
  resolveNs(name: string): Promise<string[]>;
}

/** Asks the servers of the system's configuration. */
export function systemResolver(): DnsResolver {
  return new Resolver({ timeout: 5000, tries: 2 });
}

type Pairs = readonly (readonly [string, string])[];

export function dnsRefresh(config: DnsSdConfig, resolver: DnsResolver, metrics: SdMetrics): Refresh {
  /** What each name gave last; a name that never answered has nothing. */
  const last = new Map<string, TargetGroup>();
  return async () => {
    const failures: unknown[] = [];
    await Promise.all(
      config.names.map(async (name) => {
        metrics.dnsLookups.add(1);
        try {
          last.set(name, {
            source: name,
            labels: [],
            targets: (await lookUp(name, config, resolver)).map((pairs) => labelsFromPairs(pairs)),
          });
        } catch (error) {
          metrics.dnsLookupFailures.add(1);
          failures.push(error);
        }
      }),
    );
    if (failures.length === config.names.length) throw failures[0];
    return config.names.flatMap((name) => last.get(name) ?? []);
  };
}

async function lookUp(name: string, config: DnsSdConfig, resolver: DnsResolver): Promise<readonly Pairs[]> {
  const target = (host: string, port: number, ...labels: Pairs): Pairs => [
    [ADDRESS_LABEL, `${isIPv6(host) ? `[${host}]` : host}:${port}`],
    ['__meta_dns_name', name],
    ...labels,
  ];
  const bare = (host: string): string => host.replace(/\.$/, '');
  const full = (host: string): string => (host.endsWith('.') ? host : `${host}.`);
  try {
    switch (config.type) {
      case 'SRV':
        return (await resolver.resolveSrv(name)).map(({ name: host, port }) =>
          target(
            bare(host),
            port,
            ['__meta_dns_srv_record_target', full(host)],
            ['__meta_dns_srv_record_port', String(port)],
          ),
        );
      case 'MX':
        return (await resolver.resolveMx(name)).map(({ exchange }) =>
          target(bare(exchange), config.port, ['__meta_dns_mx_record_target', full(exchange)]),
        );
      case 'NS':
        return (await resolver.resolveNs(name)).map((host) =>
          target(bare(host), config.port, ['__meta_dns_ns_record_target', full(host)]),
        );
      case 'A':
        return (await resolver.resolve4(name)).map((address) => target(address, config.port));
      default:
        return (await resolver.resolve6(name)).map((address) => target(address, config.port));
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
