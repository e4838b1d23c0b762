/**
 * `coeus tsdb bench write`: how fast the head takes scrapes, log and chunk files included.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../core/base/clock.ts';
import { errorMessage } from '../../core/base/errors.ts';
import { createHeadKernel } from '../../core/kernels/head-kernel.ts';
import { SnappyKernel } from '../../core/kernels/snappy-kernel.ts';
import { formatG } from '../../core/model/float.ts';
import { labelsFromObject, METRIC_NAME, type Labels } from '../../core/model/labels.ts';
import { Head } from '../../store/head/head.ts';
import { HeadChunkWriter } from '../../store/head/head-chunk-files.ts';
import { SeriesEncoder } from '../../store/wal/wal-records.ts';
import { WalWriter } from '../../store/wal/wal-writer.ts';
import { loadKernelModule } from '../roles/kernel-files.ts';
import { DataFolderError } from './command-errors.ts';
import { formatGoDuration } from './go-duration.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

export interface BenchOptions {
  /** Labels of a series as a JSON object a line; null: series are made up. */
  readonly file: string | null;
  /** The data go to `storage` below it, instead of what is there. */
  readonly outputFolder: string;
  readonly seriesCount: number;
  readonly scrapeCount: number;
  readonly clock?: Clock;
}

const SCRAPE_INTERVAL_MS = 30_000;
/** The last scrape is at a fixed time, so that runs write the same bytes. */
const FIRST_SCRAPE_MS = 1_700_000_000_000;
/** Scrapes between two times that full chunks go to their files. */
const FLUSH_SCRAPES = 20;
const FLUSH_CHUNKS = 10_000;

/** @throws DataFolderError, WalWriteError */
export function benchWrite(terminal: Terminal, options: BenchOptions): void {
  const { seriesCount, scrapeCount, clock = systemClock } = options;
  const stage = <T>(name: string, body: () => T): { readonly result: T; readonly elapsedMs: number } => {
    terminal.out(`>> start stage=${name}\n`);
    const beganMs = clock.monotonicMs();
    const result = body();
    const elapsedMs = clock.monotonicMs() - beganMs;
    terminal.out(`>> completed stage=${name} duration=${formatGoDuration(elapsedMs)}\n`);
    return { result, elapsedMs };
  };
  const { result: series } = stage('readData', () =>
    options.file === null ? madeUpSeries(seriesCount) : readSeries(options.file, seriesCount),
  );
  const storage = new BenchStorage(join(options.outputFolder, 'storage'), series);
  const { elapsedMs } = stage('ingestScrapes', () => {
    const progress = new Progress(terminal, clock, { label: 'ingesting', unit: 'samples', total: series.length * scrapeCount });
    for (let scrape = 0; scrape < scrapeCount; scrape++) {
      storage.scrape(FIRST_SCRAPE_MS + scrape * SCRAPE_INTERVAL_MS);
      if (scrape % FLUSH_SCRAPES === FLUSH_SCRAPES - 1) storage.flush();
      progress.report((scrape + 1) * series.length);
    }
    progress.end();
    terminal.out('ingestion completed\n');
  });
  terminal.out(` > total samples: ${storage.sampleCount}\n`);
  terminal.out(` > samples/sec: ${formatG((storage.sampleCount / elapsedMs) * 1000)}\n`);
  stage('stopStorage', () => storage.close());
}

class BenchStorage {
  sampleCount = 0;
  readonly #head: Head;
  readonly #wal: WalWriter;
  readonly #chunks: HeadChunkWriter;
  readonly #refs: Uint32Array;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #state = 1;

  constructor(folder: string, series: readonly Labels[]) {
    rmSync(folder, { recursive: true, force: true });
    const memory = Head.createMemory();
    this.#head = new Head({ memory, kernel: createHeadKernel(loadKernelModule('head'), memory), log: { log: () => {} } });
    this.#wal = new WalWriter(join(folder, 'wal'), {
      compression: 'snappy',
      encoder: new SnappyKernel(loadKernelModule('snappy'), memory),
    });
    this.#chunks = new HeadChunkWriter(folder);
    const encoder = new SeriesEncoder();
    this.#head.setLog({
      log: (added, samples) => this.#wal.log(added.length > 0 ? [encoder.encode(added), ...samples] : samples),
    });
    this.#refs = Uint32Array.from(series, (labels) => this.#head.series(labels));
    this.#times = new Float64Array(series.length);
    this.#values = new Float64Array(series.length);
  }

  /** Every value is larger than the one before by something between 1000 and 1999. */
  scrape(timeMs: number): void {
    const values = this.#values;
    for (let i = 0; i < values.length; i++) {
      // Xorshift: the same numbers in every run.
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state ^= this.#state << 5;
      values[i] = values[i]! + 1000 + ((this.#state >>> 0) % 1000);
    }
    const columns = { refs: this.#refs, times: this.#times.fill(timeMs), values, count: values.length };
    this.sampleCount += this.#head.append(columns).appended;
    this.#head.commit();
  }

  flush(): void {
    while (this.#head.flushChunks(this.#chunks, FLUSH_CHUNKS) === FLUSH_CHUNKS);
  }

  close(): void {
    this.flush();
    this.#wal.close();
    this.#chunks.close();
  }
}

/** Labels like those of a fleet's node exporters. */
function madeUpSeries(count: number): Labels[] {
  return Array.from({ length: count }, (_, i) =>
    labelsFromObject({
      [METRIC_NAME]: `bench_metric_${i % 100}`,
      instance: `host-${Math.floor(i / 100)}.example:9100`,
      job: 'bench',
      mode: ['user', 'system', 'idle', 'iowait'][i % 4]!,
    }),
  );
}

/** @throws DataFolderError */
function readSeries(file: string, limit: number): Labels[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DataFolderError(`open ${file}: ${errorMessage(error)}`, { cause: error });
  }
  const series: Labels[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (series.length === limit) break;
    if (line.trim() !== '') series.push(labelsOf(line, `${file}: line ${i + 1}`));
  }
  return series;
}

function labelsOf(line: string, place: string): Labels {
  let object: unknown;
  try {
    object = JSON.parse(line);
  } catch (error) {
    throw new DataFolderError(`${place}: ${errorMessage(error)}`, { cause: error });
  }
  if (!isLabels(object)) throw new DataFolderError(`${place}: the labels of a series are an object of strings`);
  return labelsFromObject(object);
}

const isLabels = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string');
