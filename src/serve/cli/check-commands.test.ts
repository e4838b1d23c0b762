/**
 * The check commands beside Debian's promtool: the same words and exit codes.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';

const CONFORMANCE = '../shared/conformance';
const skip = withoutPromtool !== false ? withoutPromtool : existsSync(CONFORMANCE) ? false : 'no conformance data';

/** One metric of a type, with labels that some types must not have. */
function exposed(name: string, type: string): string {
  const comments = `# HELP ${name} h\n# TYPE ${name} ${type}\n`;
  if (type === 'histogram') return `${comments}${name}_bucket{le="+Inf",aB="1"} 1\n${name}_sum{aB="1"} 1\n${name}_count{aB="1"} 1\n`;
  if (type === 'summary') return `${comments}${name}{quantile="0.5",le="1"} 2\n${name}_sum 1\n`;
  return `${comments}${name}{le="1",quantile="0.5",aB="x"} 1\n`;
}

const NAMES =
  'a_counter_x x_gauge my_untyped my_histogram my_summary_s a_gauge_histogram gauge x_bucket x_count x_sum x_total a_msx a_h_b a_H_x aBc a:b ms_a AMS_KB ' +
  'a_kilobytes a_kibibytes a_mibibytes a_mebibytes a_metres kilometres dekameters a_kelvins a_days a_bits a_inches a_pounds a_calories a_rankine a_ratio A_Bytes';

// Claim, what is piped in.
const metrics: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ...['counter', 'gauge', 'summary', 'untyped', 'histogram'].map(
    (type) => [`names of a ${type}`, NAMES.split(' ').map((name) => exposed(name, type)).join('')] as const,
  ),
  ['no help', '# TYPE a counter\na_total 1\n# HELP b\nb 1\n'],
  ['nothing known of metrics without samples', '# HELP a_ms\n# TYPE b_ms gauge\n'],
  ['buckets that are not of the summary', '# TYPE h summary\nh_bucket 1\nh{quantile="1"} 2\nh_sum 1\nh_count 1\n'],
  ['labels of each series', '# HELP a_x x\na_x{aB="1",cD="2"} 1\na_x{aB="2"} 1\n'],
  ['help twice', '# HELP a b\n# HELP a b\na 1\n'],
  ['type twice', '# TYPE a counter\n# TYPE a counter\n'],
  ['type behind samples', 'a 1\n# TYPE a counter\n'],
  ['no line break at the end', 'a 1\na 2'],
];
for (const [claim, stdin] of metrics) {
  test(`check metrics: ${claim}`, { skip: withoutPromtool }, async () => {
    assert.deepEqual(await coeus(['check', 'metrics'], stdin), promtool(['check', 'metrics'], stdin));
  });
}

test('check metrics: a body that is none', async () => {
  const { exitCode, stderr } = await coeus(['check', 'metrics'], '# HELP a b\na{ 1\n');
  assert.equal(exitCode, 1);
  assert.match(stderr, /^error while linting: text format parsing error in line 2: /);
});

test('check metrics: repeated series are found, series are counted', async () => {
  const stdin = '# HELP g g\n# TYPE g gauge\ng{a="1"} 1\ng{a="1"} 2\n# HELP h h\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n';
  const rows = ['Metric    Cardinality    Percentage', 'h         4              66.67%', 'g         2              33.33%', 'Total     6              100%'];
  const { exitCode, stdout, stderr } = await coeus(['check', 'metrics', '--extended'], stdin);
  assert.deepEqual([exitCode, stderr], [3, 'g metric not unique\n']);
  assert.deepEqual(stdout.split('\n').map((line) => line.trimEnd()), [...rows, '']);
  assert.deepEqual(await coeus(['check', 'metrics', '--lint=none', '--extended'], stdin), { exitCode: 0, stdout, stderr: '' });
  assert.equal((await coeus(['check', 'metrics', '--lint=none'], stdin)).exitCode, 1);
});

test('check metrics: exporters that people run', { skip }, async () => {
  for (const file of globSync(`${CONFORMANCE}/exposition/captured-*.prom.txt`)) {
    const stdin = readFileSync(file, 'utf8');
    assert.deepEqual(await coeus(['check', 'metrics'], stdin), promtool(['check', 'metrics'], stdin), file);
    if (promtool(['check', 'metrics'], stdin).exitCode !== 0) continue;
    // Which of equal counts comes first is a matter of luck in promtool.
    const sorted = (text: string): string[] => text.split('\n').sort();
    const ours = await coeus(['check', 'metrics', '--extended'], stdin);
    assert.deepEqual(sorted(ours.stdout), sorted(promtool(['check', 'metrics', '--extended'], stdin).stdout), file);
  }
});

/** Our messages also tell column and field; that part is left out. */
const withoutPlaces = (text: string): string => text.replaceAll(/ \((?:line \d+, )?column \d+[^)]*\)/g, '');

const RULES = ['rules_duplicates.yml', 'prometheus-rules.lint.yml', 'rules.yml', 'rules_large.yml', 'rules_extrafields.yml', 'prometheus-config.rules.good.yml'];
for (const flags of ['', '--lint=none', '--lint=all --lint-fatal', '--lint=spelling']) {
  test(`check rules ${flags}`, { skip }, async () => {
    const words = ['check', 'rules', ...flags.split(' ').filter(Boolean), ...RULES.map((name) => `${CONFORMANCE}/promtool/${name}`)];
    const ours = await coeus(words);
    // promtool names its own type of a rule's YAML.
    assert.deepEqual({ ...ours, stderr: withoutPlaces(ours.stderr) }, promtool(words));
  });
}

test('check rules: standard input, files that are not there, fields of others', async () => {
  const good = 'groups:\n- name: g\n  owner: me\n  rules: [{record: a, expr: b}]\n';
  assert.deepEqual(await coeus(['check', 'rules', '--ignore-unknown-fields'], good), { exitCode: 0, stdout: 'Checking standard input\n  SUCCESS: 1 rules found\n\n', stderr: '' });
  assert.equal((await coeus(['check', 'rules'], good)).exitCode, 1);
  const { exitCode, stdout, stderr } = await coeus(['check', 'rules', '/nowhere/r.yml']);
  assert.deepEqual([exitCode, stdout], [1, 'Checking /nowhere/r.yml\n\n']);
  assert.match(stderr, /^ {2}FAILED:\n\/nowhere\/r\.yml: .*no such file/);
});

for (const flags of ['', '--syntax-only', '--lint=all --lint-fatal', '--lint=none', '--lint=spelling']) {
  test(`check config ${flags}`, { skip }, async () => {
    const files = ['prometheus-config.good.yml', 'prometheus-config.lint.yml', 'config_with_service_discovery_files.yml', 'authorization_credentials_file.bad.yml'];
    // promtool 2.42 does not look at scrape intervals.
    const given = flags.replace('--lint=all', '--lint=duplicate-rules').split(' ').filter(Boolean);
    const words = ['check', 'config', ...given, ...files.map((name) => `${CONFORMANCE}/promtool/${name}`)];
    const ours = await coeus(words);
    assert.deepEqual({ ...ours, stderr: withoutPlaces(ours.stderr) }, promtool(words));
  });
}

test('check config: options of newer promtools', { skip }, async () => {
  const file = `${CONFORMANCE}/promtool/config_with_service_discovery_files.yml`;
  const lint = ['check', 'config', '--lint=too-long-scrape-interval', '--lint-fatal', file];
  assert.equal((await coeus(lint)).exitCode, 0);
  assert.equal((await coeus([...lint, '--query.lookback-delta=1s'])).exitCode, 3);
  assert.match((await coeus(['check', 'config', '--agent', file])).stderr, /field alerting is not allowed in agent mode/);
  const { exitCode, stderr } = await coeus([...lint, '--query.lookback-delta=x']);
  assert.deepEqual([exitCode, stderr], [1, 'error: --query.lookback-delta: not a valid duration string: "x"\n']);
});

test('check web-config: each file', { skip }, async () => {
  const files = ['rules.yml', 'nowhere.yml'].map((name) => `${CONFORMANCE}/promtool/${name}`);
  const ours = await coeus(['check', 'web-config', ...files, '/dev/null']);
  assert.deepEqual([ours.exitCode, ours.stdout], [1, '/dev/null SUCCESS\n']);
  assert.match(ours.stderr, /^\S+rules\.yml FAILED: yaml: unmarshal errors:\n {2}line 3: field groups not found.*\n\S+nowhere\.yml FAILED: open \S+nowhere\.yml: no such file or directory\n$/);
});

test('check healthy: what the server says, and what it is asked with', async () => {
  let isReady = true;
  let seen = '';
  const server = createServer((request, response) => {
    seen = `${request.url} ${request.headers.authorization}`;
    response.statusCode = isReady ? 200 : 503;
    response.end('Prometheus Server is Ready.\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assert.deepEqual(await coeus(['check', 'ready', '--url', `ann:secret@${url}`]), { exitCode: 0, stdout: '', stderr: '  SUCCESS: Prometheus Server is Ready.\n' });
    assert.equal(seen, `/-/ready Basic ${Buffer.from('ann:secret').toString('base64')}`);
    isReady = false;
    assert.deepEqual(await coeus(['check', 'healthy', `--url=http://${url}`]), { exitCode: 1, stdout: '', stderr: `check failed: URL=http://${url}/-/healthy, status=503\n` });
  } finally {
    server.close();
    server.closeAllConnections();
  }
  const { exitCode, stderr } = await coeus(['check', 'healthy', `--url=http://${url}`]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^error: Get "http:\/\/127\.0\.0\.1:\d+\/-\/healthy": connect ECONNREFUSED/);
});
