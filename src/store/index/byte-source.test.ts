import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withFolder } from './_index-fixtures.ts';
import { FileReadError, FileSource, OpenFiles } from './byte-source.ts';
import { ByteWindow, LARGEST_FILL_BYTES } from './byte-window.ts';

/** Files of ours that are open in `folder`; Linux tells. */
const openIn = (folder: string): number => readdirSync('/proc/self/fd', { withFileTypes: true }).filter((each) => linkOf(each.name).startsWith(folder)).length;

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

test('no more files are open than the bound says, and all are read', () => {
  withFolder((folder) => {
    const files = new OpenFiles(2);
    const byte = new Uint8Array(1);
    const sources = ['a', 'b', 'c', 'd'].map((name) => {
      writeFileSync(join(folder, name), name);
      return new FileSource(files, join(folder, name));
    });
    for (const at of [0, 1, 2, 3, 0, 3, 0, 1]) {
      sources[at]!.read(0, 1, byte, 0);
      assert.equal(String.fromCharCode(byte[0]!), 'abcd'[at]);
      assert.ok(openIn(folder) <= 2);
    }
    files.closeUnder(folder);
    assert.equal(openIn(folder), 0);
  });
});

test('a file that is missing, and one that has become shorter', () => {
  withFolder((folder) => {
    const files = new OpenFiles();
    assert.throws(() => new FileSource(files, join(folder, 'none')), (error: unknown) => error instanceof FileReadError && error.isMissing && error.file === join(folder, 'none'));
    writeFileSync(join(folder, 'file'), Buffer.alloc(100));
    const source = new FileSource(files, join(folder, 'file'));
    truncateSync(join(folder, 'file'), 60);
    assert.throws(() => source.read(50, 20, new Uint8Array(20), 0), { name: 'CorruptError', offset: 60 });
    files.closeAll();
  });
});

test('a window gives any range of its file, whatever was read before', () => {
  withFolder((folder) => {
    const bytes = Buffer.from(Uint8Array.from({ length: 5 * LARGEST_FILL_BYTES }, (_, i) => (i * 31) ^ (i >>> 8)));
    writeFileSync(join(folder, 'file'), bytes);
    const files = new OpenFiles();
    const window = new ByteWindow(new FileSource(files, join(folder, 'file')));
    const ranges = [
      [0, 10], [5, 5000], [4000, 100], [0, 1], [200_000, 70_000], [269_999, 1], [100, 4000], [bytes.length - 1, 1], [bytes.length, 0], [0, bytes.length], [7, 7],
    ] as const;
    for (const [offset, length] of ranges) {
      const from = window.locate(offset, length, 2 * length);
      assert.ok(window.bytes.subarray(from, from + length).equals(bytes.subarray(offset, offset + length)), `${offset} + ${length}`);
    }
    for (let offset = 0; offset < bytes.length; offset += 1000) {
      const from = window.locate(offset, 1);
      assert.equal(window.bytes[from], bytes[offset]);
    }
    assert.throws(() => window.locate(bytes.length - 5, 6), { name: 'CorruptError', offset: bytes.length - 5 });
    window.release();
    assert.equal(window.bytes.length, 0);
    const from = window.locate(3, 1);
    assert.equal(window.bytes[from], bytes[3]);
    files.closeAll();
  });
});
