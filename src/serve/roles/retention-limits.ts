/**
 * How long and how much is kept, from flags and configuration: what the file says goes before the flags, and where neither says anything
 * it is 15 days. Source: Prometheus 3.14, "storage.tsdb.retention".
 */
import type { RetentionConfig } from '../config/section-schemas.ts';
import { formatDuration } from '../../core/model/duration.ts';
import { formatSize } from '../../core/model/yaml/values.ts';
import type { RetentionLimits } from '../../store/tsdb/retention.ts';

const DEFAULT_RETENTION_MS = 15 * 24 * 3600 * 1000;

/** @param flags 0 where one was not given */
export function retentionLimits(flags: { readonly timeMs: number; readonly sizeBytes: number }, config: RetentionConfig): RetentionLimits {
  const timeMs = config.timeMs > 0 ? config.timeMs : flags.timeMs;
  const sizeBytes = config.sizeBytes > 0 ? config.sizeBytes : flags.sizeBytes;
  const isLimited = timeMs > 0 || sizeBytes > 0 || config.percentage > 0;
  return { timeMs: isLimited ? timeMs : DEFAULT_RETENTION_MS, sizeBytes, diskPercentage: config.percentage };
}

/** As the runtime page shows it: `15d or 1GiB`. */
export function retentionText({ timeMs, sizeBytes, diskPercentage }: RetentionLimits): string {
  const parts = [timeMs > 0 ? formatDuration(timeMs) : '', diskPercentage > 0 ? `${diskPercentage}%` : sizeBytes > 0 ? formatSize(sizeBytes) : ''];
  return parts.filter((part) => part !== '').join(' or ');
}
