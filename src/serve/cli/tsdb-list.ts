/**
 * `coeus tsdb list`: the blocks of a data folder as a table.
 */
import type { BlockInfo } from '../../store/tsdb/block-set.ts';
import { openBlocks } from './data-folder.ts';
import { formatGoDuration } from './go-duration.ts';
import { formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

const STYLE = { minWidth: 13, padding: 2, padsLast: false };
const HEADER = [
  'BLOCK ULID',
  'MIN TIME',
  'MAX TIME',
  'DURATION',
  'NUM SAMPLES',
  'NUM CHUNKS',
  'NUM SERIES',
  'SIZE',
] as const;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** @throws DataFolderError, CorruptError */
export function listBlocksTable(terminal: Terminal, dataFolder: string, isHumanReadable: boolean): void {
  const blocks = openBlocks(dataFolder);
  terminal.out(blockTable(blocks.infos(), isHumanReadable));
  blocks.close();
}

export function blockTable(blocks: readonly BlockInfo[], isHumanReadable: boolean): string {
  const rows = blocks.map(({ meta, byteLength }) => [
    meta.ulid,
    isHumanReadable ? secondText(meta.minTimeMs) : String(meta.minTimeMs),
    isHumanReadable ? secondText(meta.maxTimeMs) : String(meta.maxTimeMs),
    formatGoDuration(meta.maxTimeMs - meta.minTimeMs),
    String(meta.stats.sampleCount),
    String(meta.stats.chunkCount),
    String(meta.stats.seriesCount),
    isHumanReadable ? byteText(byteLength) : String(byteLength),
  ]);
  return formatTable([HEADER, ...rows], STYLE);
}

/** `2026-01-31 12:30:00 +0000 UTC`, cut towards 1970. */
const secondText = (timeMs: number): string =>
  new Date(Math.trunc(timeMs / 1000) * 1000).toISOString().replace('T', ' ').replace('.000Z', ' +0000 UTC');

/** Each unit that counts: `1MiB20KiB3B`. */
function byteText(bytes: number): string {
  if (bytes === 0) return '0B';
  let text = '';
  for (let rest = bytes, i = 0; rest > 0; rest = Math.floor(rest / 1024), i++)
    if (rest % 1024 > 0) text = `${rest % 1024}${BYTE_UNITS[i]!}${text}`;
  return text;
}
