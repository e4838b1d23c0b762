/**
 * Recording rules over three days that Debian's Prometheus serves, written by its promtool and by ours.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hasPrometheus, startPrometheus } from '../../../test/support/servers.ts';
import { emptyFolder, unpack, withoutBlocks } from './_data-folders.ts';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';

const RULES = `groups:
- name: g
  interval: 5m
  rules:
  - { record: a:sum, expr: "sum by (path) (http_requests_total)", labels: { x: y, path: "" } }
  - { record: a:count, expr: "count(temp_celsius) by (room)" }
- name: g2
  rules:
  - { record: b:max, expr: max(temp_celsius), labels: { room: all } }
  - { record: nothing, expr: no_such_metric }
  - { record: b:scalar, expr: "1" }
`;
const CREATE = ['tsdb', 'create-blocks-from', 'rules'];

function ruleFile(t: TestContext, text: string): string {
  const file = join(emptyFolder(t), 'r.yml');
  writeFileSync(file, text);
  return file;
}

/** Lines of the log without progress; promtool takes groups in any order and tells errors at their end. */
const log = (stderr: string): string[] => stderr.replaceAll(/^(?:evaluating rules|writing blocks) .*\n/gm, '').split('\n').sort();

test('create-blocks-from rules: the same samples as promtool, in as many blocks as there are times', { skip: withoutBlocks || withoutPromtool || !hasPrometheus }, async (t) => {
  const folder = emptyFolder(t);
  const server = await (await startPrometheus({ folder, data: unpack(t, 'backfill-3d.blocks') })).untilReady();
  t.after(() => server.stop('SIGKILL'));
  const file = ruleFile(t, RULES);
  const [ours, theirs] = [emptyFolder(t), emptyFolder(t)];
  const words = [...CREATE, `--url=${server.url}`, '--start=1760000000', '--end=2025-10-09T17:00:00Z', '--eval-interval=7m'];
  const got = await coeus([...words, `--output-dir=${ours}`, file]);
  const want = promtool([...words, `--output-dir=${theirs}`, file]);
  assert.deepEqual([got.exitCode, log(got.stderr)], [want.exitCode, log(want.stderr)]);
  // 30,400 seconds in ranges of two hours, from 1760000000 = 4,444.4 of them.
  assert.equal(readdirSync(ours).length, 5);
  assert.equal(got.stdout.trimEnd().split('\n').length, 6);
  const dump = async (data: string): Promise<string[]> => (await coeus(['tsdb', 'dump', data])).stdout.split('\n').sort();
  const lines = await dump(ours);
  assert.deepEqual(lines, await dump(theirs));
  assert.ok(lines.some((line) => line.startsWith('{__name__="b:max", room="all"} ')));
  assert.ok(lines.some((line) => line.startsWith('{__name__="a:sum", x="y"} ')));
  mkdirSync(join(ours, 'wal'));
  assert.equal(promtool(['tsdb', 'dump', ours]).stdout.split('\n').length, lines.length);
});

test('create-blocks-from rules: alerts are left out; groups may have labels; histograms are told', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      asked.push(`${form.get('query')} ${form.get('step')}`);
      response.setHeader('content-type', 'application/json');
      const values = [[Number(form.get('start')), 'NaN']];
      response.end(JSON.stringify({ status: 'success', data: { result: [{ metric: { __name__: 'q', g: 'old', r: 'old' }, values, histograms: [[0, {}], [1, {}]] }] } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const out = emptyFolder(t);
  const file = ruleFile(t, 'groups:\n- name: g\n  labels: {g: new, r: new}\n  rules: [{alert: A, expr: up}, {record: b, expr: q, labels: {r: newest}}]\n');
  const { exitCode, stdout, stderr } = await coeus([...CREATE, '-q', `--url=http://127.0.0.1:${(server.address() as AddressInfo).port}`, '--start=0', '--end=3600', '--output-dir', out, file]);
  assert.deepEqual([exitCode, stdout, asked], [0, '', ['q 60']]);
  assert.equal(
    stderr,
    `level=info backfiller="new rule importer" start="01 Jan 70 00:00 UTC" end="01 Jan 70 01:00 UTC"\nlevel=info backfiller="processing group" name=${file};g\nlevel=info backfiller="processing rule" id=1 name=b\nnative histograms are not written: 2 samples\n`,
  );
  assert.match((await coeus(['tsdb', 'dump', out])).stdout, /^\{__name__="b", g="new", r="newest"\} NaN \d+\n$/);
});

test('create-blocks-from rules: a server that does not answer leaves no blocks', { skip: withoutPromtool }, async (t) => {
  const file = ruleFile(t, 'groups:\n- name: g\n  rules: [{record: a, expr: b}, {record: c, expr: d}]\n');
  const out = emptyFolder(t);
  const words = [...CREATE, '--url=http://127.0.0.1:1', '--start=0', '--end=10000', `--output-dir=${out}`, file];
  const reason = /(?<=query_range": ).*/g;
  const [got, want] = [await coeus(words), promtool(words)];
  assert.deepEqual([got.exitCode, got.stdout, log(got.stderr.replaceAll(reason, ''))], [1, '', log(want.stderr.replaceAll(reason, ''))]);
  assert.deepEqual(readdirSync(out), []);
});

// Claim, flags, file, message.
const wrong: readonly (readonly [string, string, string, RegExp])[] = [
  ['no start', '', RULES, /^error: required option '--start <time>' not specified\n/],
  ['a start that is none', '--start=x', RULES, /^error parsing start time: cannot parse "x" to a valid timestamp\n$/],
  ['an end that is none', '--start=0 --end=x', RULES, /^error parsing end time: cannot parse "x" to a valid timestamp\n$/],
  ['an end before the start', '--start=2 --end=1', RULES, /^start time is not before end time\n$/],
  ['no interval', '--start=0 --eval-interval=0s', RULES, /^error: --eval-interval must be longer than 0\n$/],
  ['more blocks than may be', '--start=-1e12 --end=0', RULES, /^the time would take \d+ blocks, 100000 are allowed/],
  ['a file that is no rule file', '--start=0 --end=1', 'groups: 1', /^error: .*cannot unmarshal/s],
];
for (const [claim, flags, text, message] of wrong) {
  test(`create-blocks-from rules: ${claim}`, async (t) => {
    const out = emptyFolder(t);
    const { exitCode, stdout, stderr } = await coeus([...CREATE, ...flags.split(' ').filter(Boolean), '--output-dir', out, ruleFile(t, text)]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, message);
    assert.deepEqual(readdirSync(out), []);
  });
}

test('create-blocks-from rules: a file that is not there', async (t) => {
  const { exitCode, stderr } = await coeus([...CREATE, '--start=0', '--end=1', '--output-dir', emptyFolder(t), '/nowhere.yml']);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^open \/nowhere\.yml: .*no such file/);
});
