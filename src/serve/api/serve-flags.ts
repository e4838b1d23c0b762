/**
 * What `coeus serve` was asked for: flags after reading, typed and checked. Read by `cli/flags.ts`, used by the roles.
 */
import type { LogLevel } from '../../core/base/log.ts';

export interface ServeFlags {
  /** Null: the built-in configuration. */
  readonly configFile: string | null;
  readonly dataDirectory: string;
  readonly useLockfile: boolean;
  readonly walCompression: 'none' | 'snappy';
  readonly listenAddresses: readonly string[];
  /** TLS, users and headers of the server; null for none. */
  readonly webConfigFile: string | null;
  readonly externalUrl: URL;
  /** '' or `/prefix`. */
  readonly routePrefix: string;
  readonly pageTitle: string;
  readonly corsOrigin: string;
  readonly readTimeoutMs: number;
  readonly maxConnections: number;
  readonly enableLifecycle: boolean;
  readonly enableAdminApi: boolean;
  readonly maxNotificationSubscribers: number;
  readonly enableRemoteWriteReceiver: boolean;
  /** What the head writes as one block. */
  readonly minBlockMs: number;
  /** The largest block; null: what the retention makes of it. */
  readonly maxBlockMs: number | null;
  /** 0 where not given. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly lookbackMs: number;
  readonly queryTimeoutMs: number;
  readonly queryMaxConcurrency: number;
  readonly queryMaxSamples: number;
  /** Names of features that are switched on and change something. */
  readonly featureFlags: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFormat: 'logfmt' | 'json';
  /** All flags with their values in force, as `/api/v1/status/flags` shows them. */
  readonly listing: Readonly<Record<string, string>>;
  /** What the log should say at the start about flags that do nothing. */
  readonly notices: readonly string[];
}
