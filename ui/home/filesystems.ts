/**
 * How full filesystems are, in the figures of `df`: space that only root may use counts neither as used nor as available.
 */
import { METRIC_NAME, labelValue } from '../../src/core/model/labels.ts';
import type { QueryResult } from '../api/query-result.ts';

export interface Filesystem {
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly availableBytes: number;
}

/** Used of what users can use, between 0 and 1. */
export function usedShare({ usedBytes, availableBytes }: Filesystem): number {
  const total = usedBytes + availableBytes;
  return total === 0 ? 0 : usedBytes / total;
}

/** Whole percent, rounded up as `df` does. */
export const usedPercent = (filesystem: Filesystem): number => Math.ceil(usedShare(filesystem) * 100);

/** The size, free and available bytes of each filesystem, in one answer. */
export const filesystemsExpr = (selector: string): string =>
  `{__name__=~"node_filesystem_(size|free|avail)_bytes", ${selector}}`;

/** The same share as a series, in percent. */
export function usedPercentExpr(selector: string): string {
  const bytes = (name: string): string => `node_filesystem_${name}_bytes{${selector}}`;
  const used = `(${bytes('size')} - ${bytes('free')})`;
  return `100 * ${used} / (${used} + ${bytes('avail')})`;
}

/** Fullest first. A device that is mounted at several places is shown at the first. @param answer of `filesystemsExpr` */
export function filesystems(answer: QueryResult): Filesystem[] {
  if (answer.kind !== 'vector') return [];
  const byPlace = new Map<string, { device: string; mountpoint: string; figures: Map<string, number> }>();
  for (const { labels, value } of answer.samples) {
    const [device, mountpoint] = [labelValue(labels, 'device'), labelValue(labels, 'mountpoint')];
    const key = JSON.stringify([device, mountpoint]);
    const place = byPlace.get(key) ?? { device, mountpoint, figures: new Map<string, number>() };
    if (value !== null) place.figures.set(labelValue(labels, METRIC_NAME), value);
    byPlace.set(key, place);
  }
  const byDevice = new Map<string, Filesystem>();
  for (const { device, mountpoint, figures } of byPlace.values()) {
    const sizeBytes = figures.get('node_filesystem_size_bytes') ?? 0;
    const availableBytes = figures.get('node_filesystem_avail_bytes');
    const freeBytes = figures.get('node_filesystem_free_bytes') ?? availableBytes;
    if (sizeBytes <= 0 || availableBytes === undefined || freeBytes === undefined) continue;
    const known = byDevice.get(device);
    if (known !== undefined && known.mountpoint.length <= mountpoint.length) continue;
    byDevice.set(device, { mountpoint, usedBytes: sizeBytes - freeBytes, availableBytes });
  }
  return [...byDevice.values()].sort((a, b) => usedShare(b) - usedShare(a));
}
