import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { labelsToObject } from '../../core/model/labels.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { defaultConfig, formatConfig, parseConfig, type Config, type ParseOptions } from './config.ts';
import { loadConfigFile } from './load.ts';

const parse = (text: string, options: Partial<ParseOptions> = {}): Config =>
  parseConfig(text, { file: 'p.yml', dir: '.', ...options });
const job = (text: string, options: Partial<ParseOptions> = {}) => {
  const indented = text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return parse(`scrape_configs:\n- job_name: j\n${indented}\n`, options).scrapeConfigs[0]!;
};

const FOLDER = '../shared/conformance/config';
/** Files whose names don't say which way they go. */
const REFUSED_BESIDES_BAD = /\.incompatible\.yml$/;

test(
  'conformance: good files load, bad files are refused with the field at fault',
  { skip: existsSync(FOLDER) ? false : 'no conformance data' },
  async (t) => {
    let loaded = 0;
    let refused = 0;
    for (const name of readdirSync(FOLDER)) {
      const wantsError = name.includes('.bad.') || REFUSED_BESIDES_BAD.test(name);
      const path = `${FOLDER}/${name}`;
      if (!wantsError) {
        const { config } = await loadConfigFile(path);
        // What is printed means the same, except that secrets are hidden and that a `$` in a label would be expanded again.
        if (name !== 'external_labels.good.yml')
          assert.equal(formatConfig(parse(formatConfig(config))), formatConfig(config), name);
        loaded++;
        continue;
      }
      await assert.rejects(loadConfigFile(path), (error: unknown) => {
        assert.ok(error instanceof ConfigError, `${name}: ${String(error)}`);
        assert.notEqual(error.issues[0]?.field, '', `${name} names no field: ${error.message}`);
        return true;
      });
      refused++;
    }
    t.diagnostic(`${loaded} files loaded, ${refused} refused`);
    assert.ok(loaded > 40 && refused > 100);
  },
);

test(
  'conformance: agent mode refuses what an agent has no use for',
  { skip: existsSync(FOLDER) ? false : 'no conformance data' },
  async () => {
    await loadConfigFile(`${FOLDER}/agent_mode.good.yml`, { agent: true });
    for (const [name, message] of [
      ['with_alert_manager', /field alerting is not allowed in agent mode/],
      ['with_alert_relabels', /field alerting is not allowed in agent mode/],
      ['with_remote_reads', /field remote_read is not allowed in agent mode/],
      ['with_rule_files', /field rule_files is not allowed in agent mode/],
    ] as const) {
      await assert.rejects(loadConfigFile(`${FOLDER}/agent_mode.${name}.yml`, { agent: true }), message);
    }
  },
);

// Text, the whole message.
const errors = [
  [
    'global:\n  foo: 1',
    'yaml: unmarshal errors:\n  line 2: field foo not found in type config.plain (column 3, global.foo)',
  ],
  [
    'scrape_configs:\n- job_name: a\n  foo: 1\n  sample_limit: abc\n  honor_labels: maybe\n  params: [a]',
    'yaml: unmarshal errors:\n' +
      '  line 3: field foo not found in type config.ScrapeConfig (column 3, scrape_configs[0].foo)\n' +
      '  line 4: cannot unmarshal !!str `abc` into uint (column 17, scrape_configs[0].sample_limit)\n' +
      '  line 5: cannot unmarshal !!str `maybe` into bool (column 17, scrape_configs[0].honor_labels)\n' +
      '  line 6: cannot unmarshal !!seq into map[string][]string (column 11, scrape_configs[0].params)',
  ],
  [
    'scrape_configs: foo',
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo` into []*config.ScrapeConfig (column 17, scrape_configs)',
  ],
  ['foo', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo` into config.plain (column 1)'],
  ['a: *x', "yaml: line 1: unknown anchor 'x' referenced (column 5)"],
  ['a: b: c', 'yaml: line 1: bad indentation of a mapping entry (column 5)'],
  ['global:\n  scrape_interval: 5x', 'not a valid duration string: "5x" (line 2, column 20, global.scrape_interval)'],
  ['global:\n  external_labels: {"": x}', '"" is not a valid label name (line 2, column 21, global.external_labels.)'],
  [
    'scrape_configs:\n- job_name: a\n  static_configs: [{targets: [a], labels: {a: 1, a: 2}}]',
    'yaml: unmarshal errors:\n  line 3: key "a" already set in map (column 50, scrape_configs[0].static_configs[0].labels.a)',
  ],
  [
    'scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [x.txt]}]',
    'path name "x.txt" is not valid for file discovery (line 3, column 22, scrape_configs[0].file_sd_configs[0].files)',
  ],
  ['rule_files: ["a/*/b.yml"]', 'invalid rule file path "a/*/b.yml" (line 1, column 14, rule_files[0])'],
] as const;
for (const [text, want] of errors) {
  test(`error: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parse(text), { name: 'ConfigError', message: `parsing YAML file p.yml: ${want}` });
  });
}

// What a job says, words of the refusal.
const badJobs = [
  ['basic_auth: {username: a}\nauthorization: {credentials: b}', /at most one of basic_auth, oauth2 & authorization/],
  ['basic_auth: {password: a, password_file: b}', /basic_auth password & password_file/],
  ['authorization: {credentials: a, credentials_file: b}', /authorization credentials & credentials_file/],
  ['authorization: {type: Basic}', /use "basic_auth" instead/],
  ['oauth2: {client_id: a}', /oauth2 token_url must be configured/],
  [
    'oauth2: {client_id: a, token_url: b, client_secret: c, client_secret_file: d}',
    /client_secret & client_secret_file/,
  ],
  ['oauth2: {client_id: a, token_url: b, grant_type: password}', /grant_type must be/],
  ['tls_config: {cert_file: a}', /key or key_file must be configured/],
  ['tls_config: {ca: a, ca_file: b}', /at most one of ca and ca_file/],
  ['tls_config: {min_version: TLS9}', /unknown TLS version: TLS9/],
  ['tls_config: {min_version: TLS13, max_version: TLS12}', /max_version must be greater/],
  ['proxy_url: "::"', /parse "::": missing protocol scheme/],
  ['no_proxy: a', /proxy_url must also be configured/],
  ['proxy_from_environment: true\nproxy_url: http://p', /proxy_url must not be configured/],
  ['proxy_connect_header: {a: [b]}', /proxy_url or proxy_from_environment must also be configured/],
  ['http_headers: {Host: {values: [x]}}', /setting header "Host" is not allowed/],
  ['body_size_limit: 5XB', /units: unknown unit XB in 5XB/],
  ['body_size_limit: 9999999EB', /is more than/],
  ['sample_limit: -1', /cannot unmarshal !!int `-1` into uint/],
  ['sample_limit: 99999999999999999999', /cannot unmarshal !!int `9999999...` into uint/],
  ['scrape_interval: 0x10', /not a valid duration string/],
  ['scrape_protocols: []', /scrape_protocols cannot be empty/],
  ['fallback_scrape_protocol: text', /unknown scrape protocol text/],
  ['metric_name_validation_scheme: ascii', /unknown name validation method/],
  [
    'metric_name_validation_scheme: legacy\nmetric_name_escaping_scheme: allow-utf-8',
    /validation scheme is not set to UTF8/,
  ],
  ['relabel_configs: [{action: explode}]', /unknown relabel action "explode"/],
  ['metric_name_validation_scheme: legacy\nrelabel_configs: [{target_label: a-b}]', /"a-b" is invalid 'target_label'/],
  ['dns_sd_configs: [{names: [a], type: X}]', /invalid DNS-SD records type X/],
  ['dns_sd_configs: [{names: [a], type: A}]', /a port is required/],
  ['dns_sd_configs: [{}]', /at least one SRV record name/],
  ['file_sd_configs: [{}]', /at least one path name/],
  ['static_configs: [{targets: [a], port: 1}]', /field port not found/],
  ['gopher_sd_configs: []', /field gopher_sd_configs not found in type config.ScrapeConfig/],
] as const;
for (const [text, message] of badJobs) test(`refused in a job: ${text}`, () => assert.throws(() => job(text), message));

test('a job inherits what it does not say', () => {
  const { scrapeConfigs } = parse(`
global: {scrape_interval: 30s, scrape_timeout: 20s, sample_limit: 7, body_size_limit: 1KB, scrape_native_histograms: true}
scrape_configs:
- job_name: all
- job_name: own
  scrape_interval: 10s
  sample_limit: 9
  scrape_native_histograms: false
`);
  const [all, own] = scrapeConfigs;
  assert.deepEqual(
    [all!.scrapeIntervalMs, all!.scrapeTimeoutMs, all!.sampleLimit, all!.bodySizeLimitBytes],
    [30_000, 20_000, 7, 1024],
  );
  // The timeout never exceeds the interval.
  assert.deepEqual([own!.scrapeIntervalMs, own!.scrapeTimeoutMs, own!.sampleLimit], [10_000, 10_000, 9]);
  assert.equal(all!.scrapeProtocols[0], 'PrometheusProto');
  assert.equal(own!.scrapeProtocols[0], 'OpenMetricsText1.0.0');
});

test('defaults are those of Prometheus', () => {
  const config = parse('');
  assert.deepEqual(
    [config.global.scrapeIntervalMs, config.global.scrapeTimeoutMs, config.global.evaluationIntervalMs],
    [60_000, 10_000, 60_000],
  );
  const { metricsPath, scheme, honorTimestamps, enableCompression, metricNameEscapingScheme, httpClient } = job(
    'metric_name_validation_scheme: legacy',
  );
  assert.deepEqual(
    { metricsPath, scheme, honorTimestamps, enableCompression, metricNameEscapingScheme },
    {
      metricsPath: '/metrics',
      scheme: 'http',
      honorTimestamps: true,
      enableCompression: true,
      metricNameEscapingScheme: 'underscores',
    },
  );
  assert.deepEqual([httpClient.followRedirects, httpClient.enableHttp2], [true, true]);
});

test('external labels take variables from the environment', () => {
  const text = 'global:\n  external_labels: {a: "${V}", b: "x${V}y", c: "$V$$V", d: "$$", e: "${NONE}", f: "50%"}';
  const { externalLabels } = parse(text, { environment: { V: 'val' } }).global;
  assert.deepEqual(labelsToObject(externalLabels), { a: 'val', b: 'xvaly', c: 'val$V', d: '$', f: '50%' });
});

test('bearer_token is an authorization', () => {
  assert.deepEqual(job('bearer_token: abc').httpClient.authorization, {
    type: 'Bearer',
    credentials: 'abc',
    credentialsFile: '',
  });
});

test('relative paths start from the folder of the file', () => {
  const text =
    'rule_files: [a/*.yml, /b.yml]\nscrape_configs:\n- job_name: j\n  tls_config: {ca_file: ca.pem}\n  authorization: {credentials_file: t}';
  const config = parse(text, { dir: '/etc/prom' });
  assert.deepEqual(config.ruleFiles, ['/etc/prom/a/*.yml', '/b.yml']);
  assert.equal(config.scrapeConfigs[0]!.httpClient.tls.caFile, '/etc/prom/ca.pem');
  assert.equal(config.scrapeConfigs[0]!.httpClient.authorization?.credentialsFile, '/etc/prom/t');
});

test('static targets may hold a slash where relabelling may rewrite them', () => {
  assert.throws(() => job('static_configs: [{targets: ["http://a"]}]'), /"http:\/\/a" is not a valid hostname/);
  const { serviceDiscovery } = job(
    'static_configs: [{targets: ["http://a"]}]\nrelabel_configs: [{target_label: __address__, replacement: b}]',
  );
  assert.equal(serviceDiscovery.length, 1);
});

test('unknown keys are taken when asked to', () => {
  assert.equal(parse('global: {foo: 1}\nbar: 2', { ignoreUnknownFields: true }).global.scrapeIntervalMs, 60_000);
});

test('secrets and passwords are not printed', () => {
  const shown = formatConfig(
    parse(`
remote_write:
- url: http://user:hunter2@host/write
  basic_auth: {username: u, password: hunter2}
  proxy_url: http://u:hunter2@proxy
  proxy_connect_header: {X: [hunter2]}
scrape_configs:
- job_name: j
  oauth2: {client_id: c, client_secret: hunter2, token_url: http://t}
  http_headers: {X: {secrets: [hunter2]}}
  tls_config: {cert: c, key: hunter2}
  consul_sd_configs: [{token: hunter2}]
`),
  );
  assert.doesNotMatch(shown, /hunter2/);
  assert.equal(shown.match(/<secret>/g)?.length, 6);
});

test('what is printed reads as Prometheus prints it', () => {
  const shown = formatConfig(
    parse('scrape_configs:\n- job_name: j\n  static_configs: [{targets: ["a:1"], labels: {x: "1"}}]\n'),
  );
  assert.equal(
    shown,
    `global:
  scrape_interval: 1m
  scrape_timeout: 10s
  evaluation_interval: 1m
  metric_name_validation_scheme: utf8
runtime:
  gogc: 75
scrape_configs:
- job_name: j
  honor_timestamps: true
  track_timestamps_staleness: false
  scrape_interval: 1m
  scrape_timeout: 10s
  scrape_protocols:
  - OpenMetricsText1.0.0
  - OpenMetricsText0.0.1
  - PrometheusText1.0.0
  - PrometheusText0.0.4
  scrape_native_histograms: false
  always_scrape_classic_histograms: false
  convert_classic_histograms_to_nhcb: false
  extra_scrape_metrics: false
  metrics_path: /metrics
  scheme: http
  enable_compression: true
  metric_name_validation_scheme: utf8
  metric_name_escaping_scheme: allow-utf-8
  follow_redirects: true
  enable_http2: true
  static_configs:
  - targets:
    - a:1
    labels:
      x: '1'
otlp:
  label_name_underscore_sanitization: true
  label_name_preserve_multiple_underscores: true
`,
  );
});

test('without a configuration, this process and this machine are scraped', () => {
  const { scrapeConfigs } = defaultConfig(9090);
  const shown = scrapeConfigs.map(
    ({ jobName, metricsPath, scrapeIntervalMs }) => `${jobName} ${metricsPath} ${scrapeIntervalMs}`,
  );
  assert.deepEqual(shown, ['coeus /metrics 5000', 'node /metrics/host 5000']);
});

test('a file that is not there is named', async () => {
  await assert.rejects(loadConfigFile('/nowhere/p.yml'), {
    name: 'ConfigError',
    message: 'open /nowhere/p.yml: no such file or directory',
  });
});
