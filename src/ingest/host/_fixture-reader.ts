/**
 * A host made of texts, for tests.
 */
import type { FileSystemSize, HostReader } from './host-reader.ts';
import { FamilySet } from './family-set.ts';
import type { Collect } from './proc-text.ts';

export class FixtureReader implements HostReader {
  readonly #files: Readonly<Record<string, string | Error>>;
  readonly #sizes: Readonly<Record<string, FileSystemSize | Promise<FileSystemSize> | Error>>;

  /** @param files path to text, or to what reading it throws */
  constructor(
    files: Readonly<Record<string, string | Error>>,
    sizes: Readonly<Record<string, FileSystemSize | Promise<FileSystemSize> | Error>> = {},
  ) {
    this.#files = files;
    this.#sizes = sizes;
  }

  async readText(path: string): Promise<string> {
    const file = this.#files[path];
    if (file instanceof Error) throw file;
    if (file === undefined) throw errorWithCode('ENOENT');
    return file;
  }

  async list(path: string): Promise<readonly string[]> {
    const below = Object.keys(this.#files).filter((file) => file.startsWith(`${path}/`));
    if (below.length === 0) throw errorWithCode('ENOENT');
    return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0]!))].sort();
  }

  async fileSystemSize(path: string): Promise<FileSystemSize> {
    const size = this.#sizes[path];
    if (size instanceof Error) throw size;
    if (size === undefined) throw errorWithCode('ENOENT');
    return size;
  }

  pageBytes(): Promise<number> {
    return Promise.resolve(4096);
  }
}

/** As `node:fs` throws. */
export const errorWithCode = (code: string): Error => Object.assign(new Error(code), { code });

/** What a collector makes of `reader`: `name{label="value"} 1` lines, in order of name. */
export async function linesFrom(collect: Collect, reader: HostReader): Promise<string[]> {
  const out = new FamilySet();
  await collect(reader, out);
  return out.families().flatMap(({ name, samples }) =>
    samples.map(({ labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
    }),
  );
}
