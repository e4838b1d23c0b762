/**
 * Targets from an HTTP endpoint that answers a list of them as JSON.
 *
 * Source: Prometheus, "HTTP SD"; discovery/http.
 */
import type { HttpClient } from './http-client.ts';
import type { Refresh } from './refresh.ts';
import type { HttpSdConfig } from './sd-config.ts';
import type { SdMetrics } from './sd-metrics.ts';
import type { TargetGroup } from './target-group.ts';
import { MAX_TARGET_LIST_BYTES, parseTargetList, toTargetGroup } from './target-list.ts';

const URL_LABEL = '__meta_url';
const JSON_TYPE = /^application\/json(?:\s*;\s*charset=(?:"?utf-8"?))?\s*$/i;

/** One request; an answer that is no list of targets fails. */
export function httpRefresh(config: HttpSdConfig, client: HttpClient, metrics: SdMetrics, userAgent: string): Refresh {
  return async (signal) => {
    try {
      return await ask(config, client, userAgent, signal);
    } catch (error) {
      if (!signal.aborted) metrics.httpFailures.add(1);
      throw error;
    }
  };
}

async function ask(
  config: HttpSdConfig,
  client: HttpClient,
  userAgent: string,
  signal: AbortSignal,
): Promise<readonly TargetGroup[]> {
  // An answer that takes longer than the interval would come when the next one is due.
  const ends = AbortSignal.any([signal, AbortSignal.timeout(config.refreshIntervalMs)]);
  const response = await client.request({
    url: config.url,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      'x-prometheus-refresh-interval-seconds': String(config.refreshIntervalMs / 1000),
    },
    signal: ends,
    maxBodyBytes: MAX_TARGET_LIST_BYTES,
  });
  if (response.status !== 200) {
    await response.discard();
    throw new Error(`server returned HTTP status ${response.status} ${response.statusText}`);
  }
  const type = (response.headers['content-type'] ?? '').trim();
  if (!JSON_TYPE.test(type)) {
    await response.discard();
    throw new Error(`unsupported content type ${JSON.stringify(type)}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const groups = parseTargetList(Buffer.concat(chunks).toString('utf8'), 'json');
  return groups.map((group, i) => toTargetGroup(group, `${config.url}:${i}`, [URL_LABEL, config.url]));
}
