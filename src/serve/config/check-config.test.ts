import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkConfig, type CheckConfigOptions } from './check-config.ts';

/** Writes files into a folder and checks the first one; the folder's name is left out of what it says. */
async function check(t: TestContext, files: Readonly<Record<string, string>>, options: CheckConfigOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'coeus-check-'));
  t.after(() => rm(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  const { exitCode, stdout, stderr } = await checkConfig([join(dir, Object.keys(files)[0]!)], options);
  return { exitCode, stdout: stdout.replaceAll(`${dir}/`, ''), stderr: stderr.replaceAll(`${dir}/`, '') };
}

const JOB = 'scrape_configs:\n- job_name: j\n';
const RULES = 'groups:\n- name: g\n  rules: [{record: a, expr: b}]\n';
const VALID = 'Checking p.yml\n SUCCESS: p.yml is valid prometheus config file syntax\n\n';

// Claim, files, options, exit code, standard output, standard error.
const cases: readonly (readonly [string, Record<string, string>, CheckConfigOptions, number, string, string])[] = [
  ['a valid file', { 'p.yml': JOB }, {}, 0, VALID, ''],
  ['an empty file', { 'p.yml': '' }, {}, 0, VALID, ''],
  [
    'a file that means nothing',
    { 'p.yml': 'global: {foo: 1}' },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: parsing YAML file p.yml: yaml: unmarshal errors:\n  line 1: field foo not found in type config.plain (column 10, global.foo)\n',
  ],
  ['unknown keys may be ignored', { 'p.yml': 'global: {foo: 1}' }, { ignoreUnknownFields: true }, 0, VALID, ''],
  [
    'rule files',
    { 'p.yml': 'rule_files: [r.yml, "none*.yml"]', 'r.yml': RULES },
    {},
    0,
    'Checking p.yml\n  SUCCESS: 1 rule files found\n SUCCESS: p.yml is valid prometheus config file syntax\n\nChecking r.yml\n  SUCCESS: 1 rules found\n\n',
    '',
  ],
  [
    'a rule file that is missing',
    { 'p.yml': 'rule_files: [r.yml]' },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: "r.yml" does not point to an existing file\n',
  ],
  ['a rule file that is missing, syntax only', { 'p.yml': 'rule_files: [r.yml]' }, { syntaxOnly: true }, 0, VALID, ''],
  [
    'a credentials file that is missing',
    { 'p.yml': `${JOB}  authorization: {credentials_file: c}\n` },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: error checking authorization credentials or bearer token file "c": stat c: no such file or directory\n',
  ],
  [
    'a client certificate that is missing',
    { 'p.yml': `${JOB}  tls_config: {cert_file: c, key_file: k}\n` },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: error checking client cert file "c": stat c: no such file or directory\n',
  ],
  [
    'a CA certificate that is missing',
    { 'p.yml': `${JOB}  tls_config: {ca_file: c}\n` },
    {},
    0,
    'Checking p.yml\n  WARNING: file "c" for scrape job "j" does not exist\n SUCCESS: p.yml is valid prometheus config file syntax\n\n',
    '',
  ],
  [
    'a target file that is missing',
    { 'p.yml': `${JOB}  file_sd_configs: [{files: [t.yml]}]\n` },
    {},
    0,
    'Checking p.yml\n  WARNING: file "t.yml" for file_sd in scrape job "j" does not exist\n SUCCESS: p.yml is valid prometheus config file syntax\n\n',
    '',
  ],
  [
    'a target file that means nothing',
    { 'p.yml': `${JOB}  file_sd_configs: [{files: [t.yml]}]\n`, 't.yml': '- targats: [a]' },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: checking SD file "t.yml": yaml: unmarshal errors:\n' +
      '  line 1: field targats not found in type struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" } (column 3, [0].targats)\n',
  ],
  [
    'a URL that relabelling leaves',
    {
      'p.yml': `${JOB}  static_configs: [{targets: ["http://a"]}]\n  relabel_configs: [{target_label: x, replacement: y}]\n`,
    },
    {},
    1,
    'Checking p.yml\n\n',
    '  FAILED: instance 0 in group 0: "http://a" is not a valid hostname\n',
  ],
  [
    'a URL that relabelling takes away',
    {
      'p.yml': `${JOB}  static_configs: [{targets: ["http://a"]}]\n  relabel_configs: [{target_label: __address__, replacement: y}]\n`,
    },
    {},
    0,
    VALID,
    '',
  ],
  [
    'rules twice',
    {
      'p.yml': 'rule_files: [r.yml]',
      'r.yml':
        'groups:\n- name: g\n  rules: [{record: a, expr: b, labels: {x: y}}, {record: a, expr: c, labels: {x: y}}]\n',
    },
    { lintFatal: true },
    3,
    'Checking p.yml\n  SUCCESS: 1 rule files found\n SUCCESS: p.yml is valid prometheus config file syntax\n\nChecking r.yml\n\n',
    '  FAILED:\n     lint error 1 duplicate rule(s) found.\nMetric: a\nLabel(s):\n\tx: y\nMight cause inconsistency while recording expressions\n',
  ],
  [
    'an expression that does not parse',
    { 'p.yml': 'rule_files: [r.yml]', 'r.yml': 'groups:\n- name: g\n  rules: [{record: a, expr: "b("}]\n' },
    {},
    1,
    'Checking p.yml\n  SUCCESS: 1 rule files found\n SUCCESS: p.yml is valid prometheus config file syntax\n\nChecking r.yml\n\n',
    '',
  ],
  [
    'a scrape interval past the lookback',
    { 'p.yml': `${JOB}  scrape_interval: 5m\n` },
    { lint: 'too-long-scrape-interval', lintFatal: true },
    3,
    VALID,
    '  FAILED: too long scrape interval found, data point will be marked as stale - job: j, interval: 5m\n',
  ],
  [
    'findings are not fatal unless asked',
    { 'p.yml': `${JOB}  scrape_interval: 5m\n` },
    { lint: 'all' },
    0,
    VALID,
    '  FAILED: too long scrape interval found, data point will be marked as stale - job: j, interval: 5m\n',
  ],
  ['an unknown lint', { 'p.yml': JOB }, { lint: 'spelling' }, 0, `WARNING: unknown lint option spelling\n${VALID}`, ''],
  [
    'agent mode',
    { 'p.yml': 'rule_files: [r.yml]' },
    { agent: true },
    1,
    'Checking p.yml\n\n',
    '  FAILED: parsing YAML file p.yml: field rule_files is not allowed in agent mode (line 1, column 1, rule_files)\n',
  ],
];
for (const [claim, files, options, exitCode, stdout, stderr] of cases) {
  test(`check config: ${claim}`, async (t) => {
    const outcome = await check(t, files, options);
    if (claim === 'an expression that does not parse') {
      assert.match(
        outcome.stderr,
        /r\.yml: "a": could not parse expression: .*line 3, column \d+, groups\[0\]\.rules\[0\]\.expr/s,
      );
      assert.deepEqual({ ...outcome, stderr: '' }, { exitCode, stdout, stderr });
    } else assert.deepEqual(outcome, { exitCode, stdout, stderr });
  });
}

test('check config: a bad file does not keep the next from being checked', async () => {
  const { exitCode, stdout, stderr } = await checkConfig(['/nowhere/a.yml', '/nowhere/b.yml']);
  assert.equal(exitCode, 1);
  assert.equal(stdout, 'Checking /nowhere/a.yml\n\nChecking /nowhere/b.yml\n\n');
  assert.equal(
    stderr,
    '  FAILED: open /nowhere/a.yml: no such file or directory\n  FAILED: open /nowhere/b.yml: no such file or directory\n',
  );
});

const FOLDER = '../shared/conformance/promtool';
const promtool = [
  ['authorization_credentials_file.bad.yml', 1],
  ['authorization_credentials_file.good.yml', 0],
  ['config_with_rule_files.yml', 1],
  ['config_with_service_discovery_files.yml', 0],
  ['prometheus-config.good.yml', 0],
  ['prometheus-config.lint.yml', 0],
  ['url_in_alert_targetgroup_with_relabel_config.good.yml', 0],
  ['url_in_scrape_targetgroup_with_relabel_config.bad.yml', 1],
  ['url_in_scrape_targetgroup_with_relabel_config.good.yml', 0],
] as const;
for (const [name, want] of promtool) {
  test(
    `check config: ${name} ends with ${want}`,
    { skip: existsSync(FOLDER) ? false : 'no conformance data' },
    async () => {
      assert.equal((await checkConfig([`${FOLDER}/${name}`])).exitCode, want);
    },
  );
}
