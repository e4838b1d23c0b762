/**
 * An answer on its way out: compression, and streaming with back-pressure.
 *
 * A query's answer arrives in pieces. Most fit one, and go out as a plain body with a length; only when a second piece comes
 * is the answer streamed. The client's reading speed reaches the backend through the iterator.
 */
import { Readable } from 'node:stream';
import { chooseEncoding, compressBytes, compressStream, ENCODINGS, MIN_COMPRESSED_BYTES } from './compression.ts';

export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | Readable;
}

/**
 * @param count receives the size of each piece of a streamed body as it is sent
 * @param isLive pieces do not wait for each other
 */
export async function prepareBody(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  acceptEncoding: string,
  count: (bytes: number) => void,
  isLive: boolean,
): Promise<Outgoing> {
  const encoding = chooseEncoding(acceptEncoding, ENCODINGS);
  const whole = body instanceof Uint8Array || isLive ? body : await onlyPiece(body);
  if (whole instanceof Uint8Array) {
    if (!encoding || whole.length < MIN_COMPRESSED_BYTES) return { headers: {}, body: whole };
    return { headers: { 'content-encoding': encoding }, body: await compressBytes(whole, encoding) };
  }
  const source = Readable.from(whole, { objectMode: false });
  const stream = encoding ? compressStream(source, encoding) : source;
  stream.on('data', (piece: Uint8Array) => count(piece.length));
  stream.pause();
  return { headers: encoding ? { 'content-encoding': encoding } : {}, body: stream };
}

/** The body where it is one piece; else all its pieces again. */
async function onlyPiece(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return new Uint8Array(0);
  const second = await iterator.next();
  if (second.done) return first.value;
  return resume([first.value, second.value], iterator);
}

async function* resume(read: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* read;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
