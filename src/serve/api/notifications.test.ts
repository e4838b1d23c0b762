import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { FakeBackend, fakeClock, fakeOptions, NOW_MS } from './_fake-backend.ts';
import { Notifications, RELOAD_FAILED, STARTING, type Notification } from './notifications.ts';
import { createServer } from './server.ts';

const create = (maxSubscribers = 2): Notifications => new Notifications({ clock: fakeClock, maxSubscribers });
const open = (): AbortSignal => new AbortController().signal;
const textOf = ({ text, active }: Notification): string => `${active ? '+' : '-'}${text}`;

test('what was added is there until it is deleted', () => {
  const notifications = create();
  notifications.add('a');
  notifications.add('b');
  notifications.add('a');
  notifications.delete('none');
  assert.deepEqual(
    notifications.active,
    ['a', 'b'].map((text) => ({ text, dateMs: NOW_MS, active: true })),
  );
  notifications.delete('a');
  assert.deepEqual(notifications.active.map(textOf), ['+b']);
});

test('a subscriber hears what holds, then what changes, to the end', async () => {
  const notifications = create();
  notifications.add('before');
  const changes = notifications.subscribe(open())!;
  const heard = Array.fromAsync(changes, textOf);
  notifications.add('after');
  notifications.delete('before');
  await Promise.resolve();
  notifications.delete('after');
  notifications.close();
  assert.deepEqual(await heard, ['+before', '+after', '-before', '-after']);
  assert.equal(notifications.subscribe(open()), null);
});

test('subscribers are bounded, and one that leaves makes room', async () => {
  const notifications = create(1);
  const leaving = new AbortController();
  const first = notifications.subscribe(leaving.signal)!;
  assert.equal(notifications.subscribe(open()), null);
  leaving.abort();
  assert.deepEqual(await Array.fromAsync(first), []);
  assert.notEqual(notifications.subscribe(open()), null);
});

test('a subscriber who never reads is cut off', async () => {
  const notifications = create();
  const changes = notifications.subscribe(open())!;
  for (let i = 0; i <= 100; i++) notifications.add(`${i}`);
  assert.deepEqual(await Array.fromAsync(changes), []);
});

test('the API lists them, also before the server is ready', async () => {
  const notifications = create();
  const backend = new FakeBackend();
  backend.ready = false;
  const server = createServer(fakeOptions({ notifications }), backend);
  const ask = async (): Promise<string> => (await server.inject('/api/v1/notifications')).body;
  assert.equal(await ask(), '{"status":"success","data":[]}');
  notifications.add(STARTING);
  const date = new Date(NOW_MS).toISOString();
  assert.equal(await ask(), `{"status":"success","data":[{"text":"${STARTING}","date":"${date}","active":true}]}`);
});

test('the stream tells them as they come, is not compressed, and ends with the server', async () => {
  const notifications = create();
  notifications.add(RELOAD_FAILED);
  const server = createServer(fakeOptions({ notifications }), new FakeBackend());
  await server.listen();
  const { port } = server.addresses[0]!;
  const connected = Promise.withResolvers<void>();
  const text = new Promise<string>((resolve, reject) => {
    const headers = { 'accept-encoding': 'gzip' };
    const sent = request({ port, host: '127.0.0.1', path: '/api/v1/notifications/live', headers }, (response) => {
      assert.equal(response.headers['content-type'], 'text/event-stream');
      assert.equal(response.headers['content-encoding'], undefined);
      connected.resolve();
      let seen = '';
      response.on('data', (piece) => (seen += String(piece)));
      response.on('end', () => resolve(seen));
    });
    sent.on('error', reject);
    sent.end();
  });
  await connected.promise;
  notifications.delete(RELOAD_FAILED);
  await server.close();
  const date = new Date(NOW_MS).toISOString();
  const event = (active: boolean): string =>
    `data: {"text":"${RELOAD_FAILED}","date":"${date}","active":${active}}\n\n`;
  assert.equal(await text, `:\n\n${event(true)}${event(false)}`);
});

test('the stream has no content where too many listen', async () => {
  const notifications = create(1);
  const held = notifications.subscribe(open());
  assert.notEqual(held, null);
  const server = createServer(fakeOptions({ notifications }), new FakeBackend());
  assert.equal((await server.inject('/api/v1/notifications/live')).statusCode, 204);
});
