/**
 * What the tests of the WAL share: folders that go away, and logs that print well.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '../../core/bytes/binary-writer.ts';
import { formatFloat } from '../../core/model/float.ts';
import { METRIC_NAME, type Labels } from '../../core/model/labels.ts';
import { readWal, type WalFault } from './wal-reader.ts';
import { decodeSeries, encodeSamples, RECORD_TYPE, SampleRecord, SeriesEncoder } from './wal-records.ts';
import type { WalWriter } from './wal-writer.ts';

export function withFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'coeus-wal-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const seriesEncoder = new SeriesEncoder();

/** A record with the series `m<ref>` of each ref. */
export const seriesRecord = (...refs: number[]): Uint8Array =>
  seriesEncoder.encode(refs.map((walRef) => ({ walRef, labels: [METRIC_NAME, `m${walRef}`] }))).slice();

/** A record with a sample of each ref at one time; its value is ref + time / 8. */
export function sampleRecord(timeMs: number, ...refs: number[]): Uint8Array {
  const out = new BinaryWriter();
  encodeSamples(refs, new Float64Array(refs.length).fill(timeMs), Float64Array.from(refs, (ref) => ref + timeMs / 8), 0, refs.length, out);
  return out.written.slice();
}

/** A log with `scrapes` records of `refs` each. */
export function writeScrapes(writer: WalWriter, refs: readonly number[], scrapes: number, startMs = 1000): void {
  writer.log([seriesRecord(...refs)]);
  for (let i = 0; i < scrapes; i++) writer.log([sampleRecord(startMs + i * 1000, ...refs)]);
}

/** Lines as `promtool tsdb dump` prints them, sorted. */
export function dumpWal(folder: string): { lines: string[]; types: number[]; faults: WalFault[] } {
  const labels = new Map<number, Labels>();
  const lines: string[] = [];
  const types: number[] = [];
  const samples = new SampleRecord();
  const faults = readWal(folder, {
    record: (record) => {
      types.push(record[0]!);
      if (record[0] === RECORD_TYPE.SERIES) decodeSeries(record, (ref, each) => void labels.set(ref, each));
      if (record[0] !== RECORD_TYPE.SAMPLES) return;
      samples.decode(record);
      for (let i = 0; i < samples.count; i++) {
        const each = labels.get(samples.walRefs[i]!);
        lines.push(dumpLine(each ?? [METRIC_NAME, 'unknown'], samples.values[i]!, samples.times[i]!));
      }
    },
  });
  return { lines: lines.sort(), types, faults };
}

/** Every label set in braces, then value and time. */
export function dumpLine(labels: Labels, value: number, timeMs: number): string {
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) pairs.push(`${labels[i]!}=${JSON.stringify(labels[i + 1]!)}`);
  return `{${pairs.join(', ')}} ${formatFloat(value)} ${timeMs}`;
}

/** False, or why tests with promtool are skipped. */
export const noPromtool = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';

/** What Prometheus reads from a data folder, as sorted lines. */
export const promtoolDump = (dataFolder: string): string[] =>
  sortedDump(execFileSync('promtool', ['tsdb', 'dump', dataFolder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 }));

/** The lines of a dump, sorted, with values in our form: promtool writes large ones with an exponent. */
export const sortedDump = (text: string): string[] =>
  text.trim().split('\n').map((line) => line.replace(/ (\S+) (\S+)$/, (_, value: string, time: string) => ` ${formatFloat(parseFloatText(value))} ${time}`)).sort();

const parseFloatText = (text: string): number => (text.endsWith('Inf') ? Number(text.replace('Inf', 'Infinity')) : Number(text));

/** Fails with the first line that differs; a diff of a whole dump takes minutes. */
export function assertSameLines(got: readonly string[], want: readonly string[]): void {
  const at = want.findIndex((line, i) => line !== got[i]);
  if (at >= 0) assert.equal(got[at], want[at], `line ${at}`);
  assert.equal(got.length, want.length);
}
