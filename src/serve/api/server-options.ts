/**
 * What the HTTP server is told at its start, and what its routes share.
 */
import type { Clock } from '../../core/base/clock.ts';
import type { Logger } from '../../core/base/log.ts';
import type { Registry } from '../../core/base/metrics.ts';
import type { Handler } from './answer.ts';
import type { Backend } from './backend.ts';
import type { Notifications } from './notifications.ts';

/** The shape of `/api/v1/status/buildinfo`. */
export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
}

export interface ServerOptions {
  /** `host:port` each; `[::1]:9090` for IPv6, port 0 for a free one. */
  readonly listenAddresses: readonly string[];
  /** The file with TLS, users and headers; null for plain HTTP that is open to all. */
  readonly webConfigFile: string | null;
  /** Under which users reach the server: scheme, host and path without a slash at its end. */
  readonly externalUrl: URL;
  /** '' or `/prefix`. */
  readonly routePrefix: string;
  readonly readTimeoutMs: number;
  readonly maxConnections: number;
  /** Anchored regular expression. */
  readonly corsOrigin: string;
  readonly enableLifecycle: boolean;
  readonly enableAdminApi: boolean;
  readonly enableRemoteWriteReceiver: boolean;
  /** Names of features that are switched on and change something. */
  readonly featureFlags: readonly string[];
  readonly queryTimeoutMs: number;
  readonly lookbackMs: number;
  /** As `/api/v1/status/flags` shows them. */
  readonly flags: Readonly<Record<string, string>>;
  readonly buildInfo: BuildInfo;
  /** Folder of the built browser app. */
  readonly uiDirectory: string;
  readonly pageTitle: string;
  /** What users should know of the server; it ends the subscriptions when it closes. */
  readonly notifications: Notifications;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RouteContext {
  readonly options: ServerOptions;
  readonly backend: Backend;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

export interface Route {
  /** Below the route prefix; `:name` for a part of the path. Also the handler's name in metrics. */
  readonly path: string;
  readonly handlers: Readonly<Partial<Record<Method, Handler>>>;
  /** Answers 503 until the backend is ready. */
  readonly guarded: boolean;
  /** The body as raw bytes instead of form fields. */
  readonly rawBody: boolean;
}

/** A guarded route that takes form fields. */
export function route(
  path: string,
  handlers: Route['handlers'],
  changes: Partial<Pick<Route, 'guarded' | 'rawBody'>> = {},
): Route {
  return { path, handlers, guarded: true, rawBody: false, ...changes };
}
