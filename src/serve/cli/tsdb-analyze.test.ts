import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyFolder, unpack, withoutBlocks } from './_data-folders.ts';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';

const skip = withoutBlocks !== false ? withoutBlocks : withoutPromtool;

/** Sections with their rows sorted: of equal amounts promtool shows any first. */
const sections = (text: string): string[] => text.replace('Total Series', 'Series').split('\n\n').map((section) => section.split('\n').sort().join('\n'));

for (const name of ['backfill-3d.blocks', 'scraped-78s.blocks'] as const) {
  test(`tsdb analyze ${name}`, { skip }, async (t) => {
    const folder = unpack(t, name);
    const words = ['tsdb', 'analyze', '--limit=5000', folder];
    const ours = await coeus(words);
    assert.deepEqual([ours.exitCode, ours.stderr], [0, '']);
    assert.deepEqual(sections(ours.stdout), sections(promtool(words).stdout));
    const [, second] = promtool(['tsdb', 'list', folder]).stdout.split('\n');
    const ulid = second!.slice(0, 26);
    assert.deepEqual(sections((await coeus([...words, ulid])).stdout), sections(promtool([...words, ulid]).stdout));
  });
}

test('tsdb analyze: the largest of each list, equal ones by name', { skip: withoutBlocks }, async (t) => {
  const { stdout } = await coeus(['tsdb', 'analyze', unpack(t, 'backfill-3d.blocks'), '--limit=2', '--match={__name__="http_requests_total"}']);
  assert.equal(
    stdout.replace(/\w{26}/, 'ULID'),
    `Block ID: ULID
Duration: 52m0.001s
Total Series: 44
Matched series: 18
Label names: 4
Postings (unique label pairs): 11
Postings entries (total label pairs): 72

Label pairs most involved in churning:
0 __name__=http_requests_total
0 path=/p0

Label names most involved in churning:
0 __name__
0 path

Most common label pairs:
18 __name__=http_requests_total
18 utf=héllo

Label names with highest cumulative label value length:
19 __name__
18 path

Highest cardinality labels:
6 path
3 status

Highest cardinality metric names:
18 http_requests_total
`,
  );
});

test('tsdb analyze --extended: what chunks hold', { skip: withoutBlocks }, async (t) => {
  const { stdout } = await coeus(['tsdb', 'analyze', '--extended', '--limit=0', unpack(t, 'scraped-78s.blocks')]);
  const [, chunks] = stdout.split('\nCompaction analysis:\n');
  assert.equal(
    chunks!.replaceAll(/#+/g, (bar) => `${bar.length}#`),
    `samples per float chunk (min/avg/max): 3/39/40
[ 0, 10):   1 \n[10, 20):   0 \n[20, 30):   0 \n[30, 40): 632 50#
[40, 50): 612 49#

bytes per float chunk (min/avg/max): 27/53/337
[  0, 100): 1120 89#
[100, 200):   53 4#
[200, 300):   45 3#
[300, 400):   27 2#

`,
  );
});

test('tsdb analyze: blocks that are not there', { skip: withoutBlocks }, async (t) => {
  const empty = emptyFolder(t);
  assert.deepEqual(await coeus(['tsdb', 'analyze', empty]), { exitCode: 1, stdout: '', stderr: 'block  not found\n' });
  assert.deepEqual(await coeus(['tsdb', 'analyze', empty, 'x']), { exitCode: 1, stdout: '', stderr: 'block x not found\n' });
  assert.match((await coeus(['tsdb', 'analyze', '--limit=x', empty])).stderr, /--limit: "x" is not a whole number/);
});
