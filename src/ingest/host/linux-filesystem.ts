/**
 * File systems on Linux: the mount table and the size of each mount.
 *
 * A mount whose server is gone never answers. Each gets a bounded time, and one that has not answered is not asked again
 * until it has (the reader sees to that): the rest of the host stays visible.
 */
import type { MetricLabels } from '../../core/base/metrics.ts';
import type { FileSystemSize, HostReader } from './host-reader.ts';
import { columnsOf, linesOf, readOptional, type Collect } from './proc-text.ts';

const IGNORED_MOUNT_POINTS =
  /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
const IGNORED_TYPES = new Set(
  (
    'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs fusectl hugetlbfs iso9660 mqueue nsfs overlay proc procfs ' +
    'pstore rpc_pipefs securityfs selinuxfs squashfs sysfs tracefs'
  ).split(' '),
);
/** For one mount to answer. */
export const MOUNT_TIMEOUT_MS = 500;

interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly isReadOnly: boolean;
}

/** @param timeoutMs how long one mount may take */
export const fileSystemCollector =
  (timeoutMs: number = MOUNT_TIMEOUT_MS): Collect =>
  async (reader, out) => {
    const sizes = await Promise.all(
      (await readMounts(reader)).map(async (mount) => ({
        mount,
        size: await sizeWithin(reader, mount.mountpoint, timeoutMs),
      })),
    );
    for (const { mount, size } of sizes) {
      const { device, fstype, mountpoint } = mount;
      const labels: MetricLabels = { device, fstype, mountpoint };
      out.gauge('node_filesystem_device_error', 'Whether asking for the size failed.', size === null ? 1 : 0, labels);
      out.gauge('node_filesystem_readonly', 'Whether the mount is read-only.', mount.isReadOnly ? 1 : 0, labels);
      if (size === null) continue;
      out.gauge('node_filesystem_size_bytes', 'Size.', size.blocks * size.blockBytes, labels);
      out.gauge('node_filesystem_free_bytes', 'Free space, root included.', size.freeBlocks * size.blockBytes, labels);
      out.gauge(
        'node_filesystem_avail_bytes',
        'Space free for users other than root.',
        size.availableBlocks * size.blockBytes,
        labels,
      );
      out.gauge('node_filesystem_files', 'File nodes.', size.files, labels);
      out.gauge('node_filesystem_files_free', 'Free file nodes.', size.freeFiles, labels);
    }
  };

async function readMounts(reader: HostReader): Promise<readonly Mount[]> {
  // The first process sees the host's mounts even where ours sees a service's.
  const text = (await readFirst(reader, ['/proc/1/mounts', '/proc/self/mounts'])) ?? '';
  const seen = new Set<string>();
  return linesOf(text).flatMap((line) => {
    const [device = '', mountpoint = '', fstype = '', options = ''] = columnsOf(line).map(unescape);
    if (IGNORED_MOUNT_POINTS.test(mountpoint) || IGNORED_TYPES.has(fstype)) return [];
    const key = JSON.stringify([device, mountpoint, fstype]);
    if (seen.has(key)) return []; // Mounted over itself.
    seen.add(key);
    return [{ device, mountpoint, fstype, isReadOnly: options.split(',').includes('ro') }];
  });
}

async function readFirst(reader: HostReader, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    try {
      const text = await readOptional(reader, path);
      if (text !== null) return text;
    } catch (error) {
      if (!isForbidden(error)) throw error;
    }
  }
  return null;
}

const isForbidden = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');

/** Spaces and their like are octal in the table. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Null where the mount fails or does not answer in time. */
async function sizeWithin(reader: HostReader, path: string, timeoutMs: number): Promise<FileSystemSize | null> {
  const timeout = Promise.withResolvers<null>();
  const timer = setTimeout(() => timeout.resolve(null), timeoutMs);
  try {
    return await Promise.race([reader.fileSystemSize(path), timeout.promise]);
  } catch (error) {
    // Whatever the kernel says of one mount is that mount's state, not a fault of this collector.
    if (error instanceof Error) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
