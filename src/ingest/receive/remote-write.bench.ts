/**
 * Measures the remote write decoder, from the compressed body to columns: many series with one sample each, as a sender of scraped
 * data writes them, and few series with many samples. Prints nanoseconds a sample for all and for decompression alone.
 *
 * Run: node src/ingest/receive/remote-write.bench.ts [rounds]
 */
import { snappyDecode, SnappyEncoder } from '../../core/bytes/snappy.ts';
import { crc32c } from '../../core/bytes/crc32c.ts';
import { body, timeSeries } from './_write-request.ts';
import { MAX_DECODED_BYTES, RemoteWriteDecoder } from './remote-write.ts';

const rounds = Number(process.argv[2] ?? 3);
const START_MS = 1_700_000_000_000;

/** 13 labels, 330 bytes a series. */
function request(seriesCount: number, samplesPerSeries: number, round: number): Uint8Array {
  const messages = Array.from({ length: seriesCount }, (_, i) =>
    timeSeries({
      labels: [
        ['__name__', `http_request_duration_seconds_bucket_${i % 50}`], ['cluster', 'production-eu-west-1'], ['container', 'api-server'],
        ['endpoint', 'metrics'], ['handler', `/api/v1/items/${i % 20}`], ['instance', `10.0.${i % 7}.${i % 200}:9090`], ['job', 'api-server'],
        ['le', String(2 ** (i % 12))], ['method', 'GET'], ['namespace', 'default'], ['node', `node-${i % 7}`], ['pod', `api-server-${i}`], ['region', 'eu-west-1'],
      ],
      samples: Array.from({ length: samplesPerSeries }, (_, k) => [START_MS + (round * samplesPerSeries + k) * 15_000, i * 100 + round + k / 8]),
    }),
  );
  // `body` stores literals; this is what a sender's encoder makes of it.
  return new SnappyEncoder().encode(snappyDecode(body(...messages), MAX_DECODED_BYTES)).slice();
}

for (const [seriesCount, samplesPerSeries] of [[2000, 1], [200, 100]] as const) {
  const bodies = Array.from({ length: 4 }, (_, round) => request(seriesCount, samplesPerSeries, round));
  const refs = new Map<string, number>();
  const decoder = new RemoteWriteDecoder((labels) => {
    const key = labels.join(' ');
    const ref = refs.get(key) ?? refs.size + 1;
    refs.set(key, ref);
    return ref;
  });
  const samples = seriesCount * samplesPerSeries;
  const times = { whole: [] as number[], snappy: [] as number[] };
  const plain = new Uint8Array(MAX_DECODED_BYTES);
  let hash = 0;
  for (let round = 0; round < rounds; round++) {
    for (const input of bodies) {
      const start = process.hrtime.bigint();
      const { columns } = decoder.decode(input);
      times.whole.push(Number(process.hrtime.bigint() - start) / samples);
      hash = crc32c(new Uint8Array(columns.values.buffer, 0, columns.count * 8), 0, columns.count * 8, hash);
      const again = process.hrtime.bigint();
      snappyDecode(input, MAX_DECODED_BYTES, plain);
      times.snappy.push(Number(process.hrtime.bigint() - again) / samples);
    }
  }
  const median = (list: number[]): string => (list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0).toFixed(1);
  process.stdout.write(
    `${seriesCount} series x ${samplesPerSeries}: ${bodies[0]!.length} bytes, whole ${median(times.whole)} ns/sample, snappy ${median(times.snappy)}, hash ${hash.toString(16)}\n`,
  );
}
