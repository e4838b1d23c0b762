/**
 * The configuration of one discovery provider, as data: equal data means one provider.
 */
import type { HttpClientConfig, TlsConfig } from '../../core/model/http-client-config.ts';
import type { Labels } from '../../core/model/labels.ts';

/** One entry of `static_configs`, or of a file or answer that lists targets. */
export interface StaticGroup {
  readonly targets: readonly string[];
  readonly labels: Labels;
}

export interface StaticSdConfig {
  readonly kind: 'static';
  readonly groups: readonly StaticGroup[];
}

export interface FileSdConfig {
  readonly kind: 'file';
  /** Paths whose last element may hold `*`, `?` and `[…]`. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
}

export interface HttpSdConfig {
  readonly kind: 'http';
  readonly url: string;
  readonly refreshIntervalMs: number;
  readonly httpClient: HttpClientConfig;
}

export type DnsRecordType = 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS';

export interface DnsSdConfig {
  readonly kind: 'dns';
  readonly names: readonly string[];
  readonly type: DnsRecordType;
  /** 0 for SRV, whose records carry the port. */
  readonly port: number;
  readonly refreshIntervalMs: number;
}

/** A kind that is read and checked, and for which nothing is discovered yet. */
export interface OtherSdConfig {
  readonly kind: 'other';
  /** `kubernetes`, `consul` … */
  readonly name: string;
  /** By the keys of the file. */
  readonly options: SdOptions;
}

export interface SdOptions {
  readonly [key: string]: SdOption;
}
export type SdOption =
  | string
  | number
  | boolean
  | null
  | HttpClientConfig
  | TlsConfig
  | ReadonlyMap<string, SdOption>
  | readonly SdOption[]
  | SdOptions;

export type SdConfig = StaticSdConfig | FileSdConfig | HttpSdConfig | DnsSdConfig | OtherSdConfig;
