/**
 * Who we are, for `--version` and for clients that ask the API.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BuildInfo } from './server-options.ts';

/** The Prometheus whose API this is. Grafana and others choose what they ask for by it. */
export const PROMETHEUS_VERSION = '3.14.0';

const packageFile = fileURLToPath(new URL('../../../package.json', import.meta.url));
export const COEUS_VERSION = String((JSON.parse(readFileSync(packageFile, 'utf8')) as { version: unknown }).version);

export const buildInfo: BuildInfo = {
  version: PROMETHEUS_VERSION,
  revision: `coeus-${COEUS_VERSION}`,
  branch: 'coeus',
  buildUser: '',
  buildDate: '',
  goVersion: `node${process.versions.node}`,
};

export function versionText(): string {
  return [
    `coeus, version ${COEUS_VERSION} (API of Prometheus ${PROMETHEUS_VERSION})`,
    `  node version:     ${process.versions.node}`,
    `  platform:         ${process.platform}/${process.arch}`,
    '',
  ].join('\n');
}
