import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assertSameLines, dumpWal, noPromtool, promtoolDump, sortedDump, withFolder } from './_wal-fixtures.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { repairWal } from './repair.ts';
import { lastCheckpoint } from './wal-format.ts';

const blocks = join(import.meta.dirname, '../../../../shared/conformance/blocks');
const skip = existsSync(blocks) ? false : 'the conformance data is not here';

/** Runs `body` on a copy of the data folder of a Prometheus that was killed. */
function withKilledServer(body: (dataFolder: string) => void): void {
  withFolder((folder) => {
    execFileSync('tar', ['xzf', join(blocks, 'killed-server.data.tar.gz'), '-C', folder]);
    body(folder);
  });
}

const want = (): string[] =>
  sortedDump(gunzipSync(readFileSync(join(blocks, 'killed-server.dump.txt.gz')), { maxOutputLength: 2 ** 28 }).toString());

test('the log of a killed Prometheus holds what its own tool says', { skip }, () => {
  withKilledServer((folder) => {
    const { lines, faults } = dumpWal(join(folder, 'wal'));
    assert.deepEqual(faults, []);
    assert.equal(lines.length, 63_077);
    assertSameLines(lines, want());
  });
});

test('a checkpoint of it holds the same, for Prometheus too', { skip: skip || noPromtool }, () => {
  withKilledServer((folder) => {
    const wal = join(folder, 'wal');
    writeCheckpoint(wal, { lastSegment: 0, keepSeries: () => true, minTimeMs: 0, compression: 'snappy' });
    assert.deepEqual(readdirSync(wal), [lastCheckpoint(wal)!.name]);
    assertSameLines(dumpWal(wal).lines, want());
    assertSameLines(promtoolDump(folder), want());
  });
});

test('torn, it is repaired and holds a part of it', { skip }, () => {
  withKilledServer((folder) => {
    const wal = join(folder, 'wal');
    const all = new Set(want());
    truncateSync(join(wal, '00000000'), 300_001);
    const { lines, faults } = dumpWal(wal);
    assert.deepEqual(faults.map(({ segment, isTornTail }) => [segment, isTornTail]), [[0, true]]);
    assert.ok(lines.length > 10_000 && lines.every((line) => all.has(line)));
    assert.deepEqual(faults.flatMap(repairWal), [], 'nothing that was acknowledged is cut');
    const after = dumpWal(wal);
    assertSameLines(after.lines, lines);
    assert.deepEqual(after.faults, []);
  });
});
