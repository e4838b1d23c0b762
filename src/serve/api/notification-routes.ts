/**
 * Routes that tell the server's notifications, once or as they come.
 * Source: Prometheus, HTTP API "Notifications".
 */
import { emptyAnswer, success, type Answer, type ApiRequest } from './answer.ts';
import { jsonText } from './json-text.ts';
import type { Notification } from './notifications.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { formatTime } from './time.ts';

const EVENT_STREAM = 'text/event-stream';

export function notificationRoutes({ options }: RouteContext): Route[] {
  const { notifications } = options;
  return [
    route(
      '/api/v1/notifications',
      { GET: () => success(notifications.active.map(notificationJson)) },
      { guarded: false },
    ),
    route('/api/v1/notifications/live', { GET: (request) => live(request, notifications) }, { guarded: false }),
  ];
}

function live({ signal }: ApiRequest, notifications: RouteContext['options']['notifications']): Answer {
  const changes = notifications.subscribe(signal);
  if (changes === null) return emptyAnswer(204);
  const headers = { 'content-type': EVENT_STREAM, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' };
  return { status: 200, headers, body: events(changes), compressible: false, isLive: true };
}

async function* events(changes: AsyncIterable<Notification>): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  // A comment, so that the client hears at once that it is connected.
  yield encoder.encode(':\n\n');
  for await (const change of changes) yield encoder.encode(`data: ${jsonText(notificationJson(change))}\n\n`);
}

const notificationJson = ({ text, dateMs, active }: Notification): object => ({
  text,
  date: formatTime(dateMs),
  active,
});
