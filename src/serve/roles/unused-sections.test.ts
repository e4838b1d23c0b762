import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig, parseConfig } from '../config/config.ts';
import { unusedSections } from './unused-sections.ts';

const job = (lines: string): string => `scrape_configs:\n- job_name: a\n  ${lines}\n`;

// Text of a configuration, and what is said of it.
const cases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  [job('scrape_interval: 5s'), []],
  ['rule_files: [rules.yml]', ['rule_files']],
  ['remote_write: [{ url: "http://x/w" }]\nremote_read: [{ url: "http://x/r" }]', ['remote_write', 'remote_read']],
  ['alerting: { alertmanagers: [{ static_configs: [{ targets: ["a:1"] }] }] }', ['alerting']],
  ['global: { query_log_file: q.log }', ['global.query_log_file']],
  ['storage: { tsdb: { out_of_order_time_window: 5m, retention: { time: 1d } } }', ['storage.tsdb.out_of_order_time_window']],
  ['storage: { exemplars: { max_exemplars: 10 } }', ['storage.exemplars']],
  ['otlp: { promote_resource_attributes: [a] }', ['otlp']],
  ['runtime: { gogc: 50 }', ['runtime.gogc']],
  [job('convert_classic_histograms_to_nhcb: true'), ['scrape_configs[].convert_classic_histograms_to_nhcb']],
  [job('native_histogram_bucket_limit: 9'), ['scrape_configs[].native_histogram_bucket_limit']],
  [job('scrape_native_histograms: true'), ['scrape_configs[].scrape_native_histograms', 'scrape_configs[].scrape_protocols: PrometheusProto']],
];
for (const [text, want] of cases) {
  test(`said of ${JSON.stringify(text)}`, () => {
    const config = parseConfig(text, { file: 'prometheus.yml', dir: '.' });
    assert.deepEqual(unusedSections(config, config.scrapeConfigs), want);
  });
}

test('the built-in configuration asks for nothing that is missing', () => {
  const config = defaultConfig(9090);
  assert.deepEqual(unusedSections(config, config.scrapeConfigs), []);
});
