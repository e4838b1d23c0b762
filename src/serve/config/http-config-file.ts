/**
 * The file of `--http.config.file`: how a command speaks to a server, the HTTP client options alone.
 *
 * Source: Prometheus, "HTTPS and authentication for promtool".
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage } from '../../core/base/errors.ts';
import { DEFAULT_HTTP_CLIENT_CONFIG, type HttpClientConfig } from '../../core/model/http-client-config.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { Reader, struct } from '../../core/model/yaml/schema.ts';
import { parseYaml } from '../../core/model/yaml/yaml-node.ts';
import { httpClientPart } from './http-client-schema.ts';

const FILE = struct<{ readonly httpClient: HttpClientConfig }>('config.HTTPClientConfig', {
  httpClient: httpClientPart(),
});

/** @throws ConfigError */
export function readHttpConfigFile(path: string): HttpClientConfig {
  const node = parseYaml(readText(path));
  if (node === null) return DEFAULT_HTTP_CLIENT_CONFIG;
  const reader = new Reader({ strict: true, dir: dirname(path) });
  const { httpClient } = reader.decode(FILE, node);
  reader.finish();
  return httpClient;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = `open ${path}: ${errorMessage(error)}`;
    throw new ConfigError(message, [{ message, line: 0, column: 0, field: '' }], error);
  }
}
