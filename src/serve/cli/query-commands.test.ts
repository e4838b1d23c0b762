/**
 * The query commands beside Debian's promtool, both asking the same server.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { coeus, withoutPromtool, type Printed } from './_promtool.ts';

const ANSWERS: Readonly<Record<string, unknown>> = {
  vector: { resultType: 'vector', result: [{ metric: { __name__: 'up', job: 'a"b' }, value: [5.5, '1'] }, { metric: {}, value: [1435781451.781, 'NaN'] }] },
  matrix: { resultType: 'matrix', result: [{ metric: { a: 'c' }, values: [[0, '1'], [5, '0.25']] }, { metric: { __name__: 'x' }, values: [[1, '3']] }] },
  scalar: { resultType: 'scalar', result: [5.5, '1'] },
  empty: { resultType: 'vector', result: [] },
  none: { resultType: 'matrix', result: [] },
  histograms: {
    resultType: 'matrix',
    result: [{ metric: { __name__: 'h' }, histograms: [[5, { count: '6', sum: '3.25', buckets: [[1, '-4', '-2', '1'], [3, '-0.5', '0.5', '2'], [0, '0.5', '1000', '3'], [2, '1', '+Inf', '1.5']] }]] }],
  },
  string: { resultType: 'string', result: [5.5, 'x"y'] },
};

let asked: string[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (piece: Buffer) => (body += piece.toString()));
  request.on('end', () => {
    const url = new URL(request.url!, 'http://x');
    const form = new URLSearchParams(body);
    // Both send the same fields, in orders of their own; promtool tells times that were not asked for.
    const fields = [...url.searchParams, ...form].filter(([name]) => !['start', 'end', 'time'].includes(name)).map(String).sort();
    // Selectors may be long, so series are asked for by POST here.
    const method = url.pathname.endsWith('/series') ? '' : request.method;
    asked.push(`${method} ${url.pathname} ${fields.join(' ')} ${request.headers['x-a']}`);
    const query = form.get('query') ?? '';
    response.setHeader('content-type', 'application/json');
    if (query === 'bad') {
      response.statusCode = 400;
      response.end('{"status":"error","errorType":"bad_data","error":"parse \\"x\\""}');
    } else if (query === 'html') {
      response.statusCode = 502;
      response.setHeader('content-type', 'text/html');
      response.end('<b>no</b>');
    } else {
      const data = url.pathname.endsWith('/series') ? [{ __name__: 'up', job: 'a\\"' }, { aa: '2', zz: '1' }] : url.pathname.endsWith('/values') ? ['a', 'b"c'] : ANSWERS[query];
      response.end(JSON.stringify({ status: 'success', data }));
    }
  });
});
let url = '';
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** The server answers in this process, so promtool must not block it. */
async function promtool(words: readonly string[]): Promise<Printed> {
  const child = spawn('promtool', words);
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), new Promise<number | null>((resolve) => child.on('close', resolve))]);
  return { exitCode, stdout, stderr };
}

const commands = [
  'instant URL vector --time=5.5',
  'instant URL vector -o json',
  'instant URL scalar',
  'instant URL scalar --format=json',
  'instant URL empty',
  'instant URL empty -o json',
  'instant URL bad',
  'instant http://127.0.0.1:1 up',
  'range URL matrix --start=0 --end=1000 --step=5s',
  'range URL matrix --start=2020-01-01T00:00:00Z --end=2020-01-02T00:00:00Z --header=x-a=b',
  'range URL matrix -o json',
  'range URL none',
  'range URL matrix --start=10 --end=1',
  'series URL --match=up --match=down --start=1 --end=2',
  'series URL --match=up -o json',
  'labels URL job --match=up',
  'labels URL job -o json',
];
for (const command of commands) {
  test(`query ${command}`, { skip: withoutPromtool }, async () => {
    const words = ['query', ...command.replace('URL', url).split(' ')];
    asked = [];
    const theirs = await promtool(words);
    const askedByThem = asked.map((line) => line.replace(/step,(\d+)/, 'step,$1s'));
    asked = [];
    const ours = await coeus(words);
    const reason = /(?::\d+)?: (?:dial|connect) .*/;
    assert.deepEqual({ ...ours, stderr: ours.stderr.replace(/^error: /, '').replace(reason, '') }, { ...theirs, stderr: theirs.stderr.replace(reason, '') });
    assert.deepEqual(asked.map((line) => line.replace(/step,(\d+)(?!s)\b/, 'step,$1s')), askedByThem);
  });
}

test('query: histograms', async () => {
  const { stdout } = await coeus(['query', 'range', url, 'histograms']);
  assert.equal(stdout, 'h =>\nCount: 6.000000, Sum: 3.250000, Buckets: [[-4,-2):1 [-0.5,0.5]:2 (0.5,1000]:3 (1,+Inf):1.5] @[5]\n');
});

test('query: strings', async () => {
  assert.equal((await coeus(['query', 'instant', url, 'string'])).stdout, 'string: x"y @[5.5]\n');
});

test('query: answers that are none', async () => {
  const { exitCode, stderr } = await coeus(['query', 'instant', url, 'html']);
  assert.deepEqual([exitCode, stderr], [1, `query error: ${url}/api/v1/query: 502 <b>no</b>\n`]);
});
