import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsFromObject } from '../../src/core/model/labels.ts';
import type { QueryResult } from '../api/query-result.ts';
import { filesystems, usedPercent } from './filesystems.ts';

type Figures = readonly [device: string, mountpoint: string, sizeKb: number, freeKb: number | null, availKb: number];

function answer(rows: readonly Figures[]): QueryResult {
  const samples = rows.flatMap(([device, mountpoint, size, free, avail]) =>
    Object.entries({ size, free, avail }).flatMap(([name, value]) =>
      value === null
        ? []
        : [
            {
              labels: labelsFromObject({ __name__: `node_filesystem_${name}_bytes`, device, mountpoint }),
              timeMs: 0,
              value: value * 1024,
              histogram: null,
            },
          ],
    ),
  );
  return { kind: 'vector', samples };
}

// One row a filesystem: 1K-blocks, free (root's too), available, and the Use% that `df` printed for it.
const DF: readonly (readonly [number, number | null, number, number])[] = [
  [264_212_084, 247_844_076, 79_133_256, 18],
  [12_334_492, 12_334_492, 12_334_492, 0],
  [1000, 999, 999, 1],
  [1000, 100, 50, 95],
  [1000, 0, 0, 100],
  [1000, null, 500, 50],
];
for (const [size, free, avail, percent] of DF) {
  test(`${size} blocks, ${avail} available: ${percent} %`, () => {
    const [filesystem] = filesystems(answer([['/dev/a', '/', size, free, avail]]));
    assert.equal(usedPercent(filesystem!), percent);
  });
}

test('the fullest comes first, a device once, and what is odd not at all', () => {
  const found = filesystems(
    answer([
      ['/dev/a', '/var/lib/docker', 100, 50, 50],
      ['/dev/a', '/', 100, 50, 50],
      ['/dev/b', '/full', 100, 1, 1],
      ['/dev/c', '/empty', 0, 0, 0],
    ]),
  );
  assert.deepEqual(
    found.map(({ mountpoint }) => mountpoint),
    ['/full', '/'],
  );
  assert.deepEqual(filesystems({ kind: 'scalar', timeMs: 0, value: 1 }), []);
});
