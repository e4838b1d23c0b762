/**
 * Damaged files: whatever is flipped, cut off or put in, a block gives what it held or a CorruptError that names file and offset.
 * meta.json alone has no checksum: there another number is another block.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../../test/kernels.ts';
import { CorruptError } from '../../core/base/errors.ts';
import { OpenFiles } from '../index/byte-source.ts';
import { dumpBlock, openBlock, reseal, sealedInIndex, withFolder, writeSmallBlock } from './_block-fixtures.ts';
import type { Block } from './block.ts';
import { BlockQuerier } from './block-querier.ts';
import { blockSource } from './block-source.ts';
import { verifyBlock } from './verify-block.ts';

const SEED = Number(process.env['SEED'] ?? 20261123);
const ROUNDS = Number(process.env['DAMAGE_ROUNDS'] ?? 420);
const FILES = ['index', 'chunks/000001', 'chunks/000002', 'tombstones', 'meta.json'];

/** Everything that can be asked of a block, as text. */
async function ask(folder: string): Promise<string> {
  const answers: unknown[] = [];
  const files = new OpenFiles();
  let block: Block | null = null;
  // Like a server, which goes on asking after a failure.
  const attempt = async (question: (block: Block) => unknown): Promise<void> => {
    try {
      block ??= openBlock(folder, files);
      answers.push(await question(block));
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      assert.ok(error.file.startsWith(folder) && Number.isSafeInteger(error.offset) && error.offset >= 0, error.message);
      answers.push(null);
    }
  };
  const all = { startMs: -1e15, endMs: 1e15 };
  const few = [{ name: '__name__', op: '=~', value: 'm1|m2' }, { name: 'instance', op: '!=', value: 'host-4' }] as const;
  await attempt((each) => dumpBlock(each));
  await attempt((each) => dumpBlock(each, { startMs: 2500, endMs: 103_000 }));
  await attempt((each) => new BlockQuerier(each).labelNames({ matchers: few, ...all }));
  await attempt((each) => new BlockQuerier(each).labelValues('instance', { matchers: [], ...all }));
  await attempt((each) => new BlockQuerier(each).labelValues('instance', { matchers: few, ...all }));
  await attempt((each) => new BlockQuerier(each).labelValues('__name__', { matchers: few, ...all }));
  await attempt((each) => new BlockQuerier(each).series({ matchers: [{ name: 'ä', op: '=', value: '' }], startMs: 0, endMs: 50_000 }));
  await attempt((each) => {
    const source = blockSource(each);
    return JSON.stringify([[...source.symbols()], Array.from(source.series(), ({ labels, chunks }) => [labels, Array.from(chunks, ({ bytes }) => bytes.toString())])]);
  });
  files.closeAll();
  return answers.map((answer) => JSON.stringify(answer)).join('\n');
}

const damages: [string, (bytes: Buffer, random: () => number) => Buffer][] = [
  ['one bit flipped', (bytes, random) => {
    bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    return bytes;
  }],
  ['a byte replaced', (bytes, random) => {
    bytes[Math.floor(random() * bytes.length)] = [0, 0x7f, 0x80, 0xff][Math.floor(random() * 4)]!;
    return bytes;
  }],
  ['a run replaced', (bytes, random) => bytes.fill(random() < 0.5 ? 0 : 0xff, Math.floor(random() * bytes.length), Math.floor(random() * bytes.length))],
  ['cut off', (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length))],
  ['a run taken out', (bytes, random) => {
    const at = Math.floor(random() * bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(random() * 16))]);
  }],
];

test(`a damaged block says so (seed ${SEED}, ${ROUNDS} rounds a file)`, () =>
  withFolder(async (folder) => {
    const path = writeSmallBlock(folder);
    const want = (await ask(path)).split('\n');
    assert.ok(!want.includes('null'));
    const random = seededRandom(SEED);
    let failures = 0;
    for (const file of FILES) {
      const good = readFileSync(join(path, file));
      for (let round = 0; round < ROUNDS; round++) {
        const [kind, damage] = damages[round % damages.length]!;
        writeFileSync(join(path, file), damage(Buffer.from(good), random));
        const got = (await ask(path)).split('\n');
        for (const [i, answer] of got.entries()) {
          if (answer === 'null') failures++;
          else if (file !== 'meta.json') assert.equal(answer, want[i], `${file}, ${kind}, round ${round}: question ${i}`);
        }
      }
      writeFileSync(join(path, file), good);
    }
    assert.deepEqual((await ask(path)).split('\n'), want);
    assert.ok(failures > 1000, `${failures} answers failed`);
  }));

test(`a block with sound checksums around nonsense fails cleanly (seed ${SEED}, ${3 * ROUNDS} rounds)`, () =>
  withFolder(async (folder) => {
    const path = writeSmallBlock(folder);
    const block = openBlock(path);
    const sealed = sealedInIndex(block);
    block.close();
    const good = readFileSync(join(path, 'index'));
    const random = seededRandom(SEED);
    let failures = 0;
    for (let round = 0; round < 3 * ROUNDS; round++) {
      const bytes = Buffer.from(good);
      const each = sealed[Math.floor(random() * (round % 2 === 0 ? 4 : sealed.length))]!;
      for (let i = 0; i <= round % 3; i++) bytes[each.from + Math.floor(random() * (each.to - each.from))] = Math.floor(random() * 256);
      reseal(bytes, each);
      writeFileSync(join(path, 'index'), bytes);
      // Some of what is asked may now have another answer.
      if ((await ask(path)).includes('null')) failures++;
      for (const fault of verifyBlock(path, new OpenFiles())) assert.ok(fault.file.startsWith(path));
    }
    assert.ok(failures > ROUNDS, `${failures} rounds failed`);
  }));
