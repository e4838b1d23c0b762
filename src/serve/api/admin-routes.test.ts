import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeBackend, fakeOptions, StoringBackend } from './_fake-backend.ts';
import { createServer } from './server.ts';

const NAME = '20261123T144608Z-56c7790b21f0b73b';
const ALWAYS = { startMs: -8_640_000_000_000_000, endMs: 8_640_000_000_000_000 };
const up = { name: '__name__', op: '=', value: 'up' };
const error = (errorType: string, text: string): string =>
  `{"status":"error","errorType":"${errorType}","error":${JSON.stringify(text)}}`;

interface Row {
  readonly ask: string;
  readonly form?: string;
  readonly status: number;
  readonly body: string;
  /** What the storage was asked for. */
  readonly asked?: unknown;
}

// One row a request; statuses and texts as Prometheus 2.42 gave them.
const ROWS: readonly Row[] = [
  { ask: 'POST delete_series?match[]=up', status: 204, body: '', asked: { matcherSets: [[up]], ...ALWAYS } },
  {
    ask: 'PUT delete_series?match[]=up&start=5&end=1',
    status: 204,
    body: '',
    asked: { matcherSets: [[up]], startMs: 5000, endMs: 1000 },
  },
  {
    ask: 'POST delete_series?match[]={}&match[]=up',
    status: 204,
    body: '',
    asked: { matcherSets: [[], [up]], ...ALWAYS },
  },
  { ask: 'POST delete_series', form: 'match[]=up', status: 204, body: '', asked: { matcherSets: [[up]], ...ALWAYS } },
  { ask: 'POST delete_series', status: 400, body: error('bad_data', 'no match[] parameter provided') },
  {
    ask: 'PUT delete_series?match[]=up&match[]={',
    status: 400,
    body: error('bad_data', 'invalid parameter "match[]": 1:2: parse error: unexpected end of input inside braces'),
  },
  {
    ask: 'POST delete_series?match[]=up&start=x',
    status: 400,
    body: error(
      'bad_data',
      'invalid parameter "start": Invalid time value for \'start\': cannot parse "x" to a valid timestamp',
    ),
  },
  { ask: 'GET delete_series?match[]=up', status: 405, body: 'Method Not Allowed\n' },
  { ask: 'POST clean_tombstones', status: 204, body: '', asked: 'clean' },
  { ask: 'PUT clean_tombstones', status: 204, body: '', asked: 'clean' },
  { ask: 'GET clean_tombstones', status: 405, body: 'Method Not Allowed\n' },
  {
    ask: 'POST snapshot',
    status: 200,
    body: `{"status":"success","data":{"name":"${NAME}"}}`,
    asked: { skipHead: false },
  },
  {
    ask: 'PUT snapshot?skip_head=true',
    status: 200,
    body: `{"status":"success","data":{"name":"${NAME}"}}`,
    asked: { skipHead: true },
  },
  {
    ask: 'POST snapshot',
    form: 'skip_head=1',
    status: 200,
    body: `{"status":"success","data":{"name":"${NAME}"}}`,
    asked: { skipHead: true },
  },
  {
    ask: 'POST snapshot?skip_head=x',
    status: 400,
    body: error(
      'bad_data',
      'invalid parameter "skip_head": unable to parse boolean: strconv.ParseBool: parsing "x": invalid syntax',
    ),
  },
];
for (const { ask, form, status, body, asked } of ROWS) {
  test(`answers ${ask} ${form ?? ''}`, async () => {
    const backend = new StoringBackend();
    const [method, path] = ask.split(' ') as ['POST', string];
    const sent =
      form === undefined ? {} : { payload: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    const response = await createServer(fakeOptions({ enableAdminApi: true }), backend).inject({
      method,
      url: `/api/v1/admin/tsdb/${path}`,
      ...sent,
    });
    assert.equal(response.body, body);
    assert.equal(response.statusCode, status);
    assert.deepEqual(backend.asked, asked === undefined ? [] : [asked]);
  });
}

const ACTIONS = ['delete_series?match[]=up', 'clean_tombstones', 'snapshot'];
for (const action of ACTIONS) {
  test(`${action} is off without the flag, and honest where the storage can't`, async () => {
    const backend = new StoringBackend();
    const request = { method: 'POST', url: `/api/v1/admin/tsdb/${action}` } as const;
    const off = await createServer(fakeOptions(), backend).inject(request);
    assert.equal(off.body, error('unavailable', 'admin APIs disabled'));
    assert.equal(off.statusCode, 500);
    assert.deepEqual(backend.asked, []);
    const none = await createServer(fakeOptions({ enableAdminApi: true }), new FakeBackend()).inject(request);
    assert.match(none.body, /"unavailable","error":"this storage can not /);
  });
}
