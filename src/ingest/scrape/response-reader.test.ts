import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  HttpProtocolError,
  MAX_CHUNK_LINE_BYTES,
  MAX_HEAD_BYTES,
  MAX_INTERIM_RESPONSES,
  PlainUnsupportedError,
  ResponseReader,
} from './response-reader.ts';

interface Read {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
  readonly isDone: boolean;
  readonly keepsAlive: boolean;
}

/** Reads `text` in pieces of `size` bytes. @param closes whether the connection ends then */
function read(text: string, size: number, closes = false): Read {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new ResponseReader();
  const got = { status: 0, type: undefined as string | undefined, body: '' };
  reader.begin({
    head({ status, headers }) {
      got.status = status;
      got.type = headers.get('content-type');
    },
    body(view) {
      got.body += Buffer.from(view).toString('latin1');
    },
  });
  let isDone = false;
  for (let at = 0; at < bytes.length && !isDone; at += size)
    isDone = reader.read(Uint8Array.from(bytes.subarray(at, at + size)));
  if (closes) isDone = reader.end();
  return { ...got, isDone, keepsAlive: reader.keepsAlive };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';

// Bytes, whether the connection closes then, then: body, complete, kept.
const responses: readonly (readonly [string, string, boolean, string, boolean, boolean])[] = [
  ['counted', `${OK}Content-Length: 5\r\n\r\nhello`, false, 'hello', true, true],
  ['empty', `${OK}Content-Length: 0\r\n\r\n`, false, '', true, true],
  ['the same length twice', `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`, false, 'hi', true, true],
  ['chunked', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, false, 'hello', true, true],
  [
    'chunk extensions and trailers',
    `${OK}Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhi\r\n00\r\nX: y\r\n\r\n`,
    false,
    'hi',
    true,
    true,
  ],
  [
    'chunks win over a length, and the connection ends',
    `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    false,
    'x',
    true,
    false,
  ],
  ['until the connection closes', `${OK}\r\nhello`, true, 'hello', true, false],
  [
    'the old protocol',
    'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi',
    false,
    'hi',
    true,
    false,
  ],
  ['the server asks to close', `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nhi`, false, 'hi', true, false],
  [
    'lines end with a newline alone',
    'HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: 2\n\nhi',
    false,
    'hi',
    true,
    true,
  ],
  [
    'an interim response before',
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`,
    false,
    'hi',
    true,
    true,
  ],
  ['cut in the body', `${OK}Content-Length: 5\r\n\r\nhel`, true, 'hel', false, true],
  ['cut in a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, true, 'hel', false, true],
];
for (const [claim, text, closes, body, isDone, keepsAlive] of responses) {
  test(claim, () => {
    // However it is cut.
    for (const size of [1, 2, 3, 7, 1000]) {
      assert.deepEqual(
        read(text, size, closes && size > 0),
        { status: 200, type: 'text/plain', body, isDone, keepsAlive },
        `pieces of ${size}`,
      );
    }
  });
}

test('a status without a body has none', () => {
  const { status, isDone } = read('HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n', 1000);
  assert.deepEqual([status, isDone], [204, true]);
});

test('bytes behind the response end the connection', () => {
  assert.equal(read(`${OK}Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n\r\n`, 1000).keepsAlive, false);
});

// Bytes, then the message.
const faults: readonly (readonly [string, RegExp])[] = [
  ['SSH-2.0-OpenSSH_9.2\r\n\r\n', /^malformed HTTP response "SSH-2.0-OpenSSH_9.2"$/],
  [`${'x'.repeat(500)}\r\n\r\n`, /^malformed HTTP response "x{60}"$/],
  ['HTTP/2 200\r\n\r\n', /^malformed HTTP response/],
  ['HTTP/1.1 OK\r\n\r\n', /^malformed HTTP response/],
  [`${OK}no colon\r\n\r\n`, /^malformed MIME header line: "no colon"$/],
  [`${OK}Content-Length: -1\r\n\r\n`, /^bad Content-Length "-1"$/],
  [`${OK}Content-Length: 1e3\r\n\r\n`, /^bad Content-Length/],
  [`${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`, /multiple Content-Length/],
  [`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, /^invalid byte in chunk length$/],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`, /^invalid byte in chunk length$/],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(13)}\r\n`, /^invalid byte in chunk length$/],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n`, /^malformed chunked encoding$/],
  // The bounds.
  [`${OK}X: ${'x'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`, /^server response headers exceeded 65536 bytes/],
  [`${OK}${'X: y\r\n'.repeat(MAX_HEAD_BYTES / 6)}`, /^server response headers exceeded 65536 bytes/],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(MAX_CHUNK_LINE_BYTES)}`, /^header line too long$/],
  [
    `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(70)}`,
    /^response trailer exceeded 65536 bytes$/,
  ],
  ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(MAX_INTERIM_RESPONSES + 1), /^too many 1xx informational responses$/],
];
for (const [text, message] of faults) {
  test(`no response: ${message.source}`, () => {
    for (const size of text.length > 10_000 ? [1000, 100_000] : [1, 1000]) {
      assert.throws(() => read(text, size), { name: HttpProtocolError.name, message }, `pieces of ${size}`);
    }
  });
}

for (const text of [
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`,
]) {
  test(`left to the general client: ${text.split('\r\n').at(-3)!}`, () => {
    assert.throws(() => read(text, 1000), PlainUnsupportedError);
  });
}

test('what the sink throws ends the reading', () => {
  const reader = new ResponseReader();
  reader.begin({
    head() {
      throw new Error('not this one');
    },
    body() {},
  });
  assert.throws(() => reader.read(Buffer.from(`${OK}\r\n`)), /not this one/);
});
