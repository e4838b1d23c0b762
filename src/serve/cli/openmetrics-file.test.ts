import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { MAX_LINE_BYTES } from '../../ingest/exposition/bounds.ts';
import { emptyFolder } from './_data-folders.ts';
import { readOpenMetricsFile } from './openmetrics-file.ts';

/** Samples as `labels value@ms`, or the error. */
function read(t: TestContext, text: string, windowBytes: number): string {
  const file = join(emptyFolder(t), 'in.om');
  writeFileSync(file, text);
  const samples: string[] = [];
  let reported = 0;
  try {
    readOpenMetricsFile(
      file,
      {
        sample: (parser, window) => {
          assert.ok(window.toString('utf8', parser.seriesStart, parser.seriesEnd).length > 0);
          samples.push(`${parser.labels().slice(1).join()} ${parser.value}@${parser.timeMs}`);
        },
        progress: (done) => {
          assert.ok(done > reported);
          reported = done;
        },
      },
      windowBytes,
    );
  } catch (error) {
    return String(error);
  }
  assert.equal(reported, Buffer.byteLength(text));
  return samples.join(' ');
}

const HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1"} 1 1\n# HELP h x\n# TYPE g gauge\ng{le="1"} 2 1\n# EOF\n';

// Claim, file, samples or error. Each is read in windows of every size.
const cases: readonly (readonly [string, string, string])[] = [
  ['samples', 'a 1 1\nb{x="é"} 2 -1.5\n# EOF\n', 'a 1@1000 b,x,é 2@-1500'],
  ['a last line without its end', 'a 1 1\n# EOF', 'a 1@1000'],
  ['nothing but the end', '# EOF\n', ''],
  ['bounds are normalised while the type holds, over all windows', HISTOGRAM, 'h_bucket,le,1.0 1@1000 g,le,1 2@1000'],
  ['no end', 'a 1 1\n', 'ExpositionError: line 2: data does not end with # EOF'],
  ['nothing', '', 'ExpositionError: line 1: data does not end with # EOF'],
  ['something behind the end', 'a 1 1\n# EOF\nb 2 2\n', 'ExpositionError: line 3: unexpected data after # EOF'],
  ['a blank line behind the end', '# EOF\n\n', 'ExpositionError: line 2: unexpected data after # EOF'],
  ['no time', 'a 1 1\nb 2\n# EOF\n', 'ExpositionError: line 2: expected timestamp for series, got none'],
  ['half a line', 'a 1 1\nb 1 2\nc{x="', 'ExpositionError: line 3: '],
  ['a line that is none', 'a 1 1\n\nb 1 2\n# EOF\n', 'ExpositionError: line 2: '],
];
for (const [claim, text, want] of cases) {
  test(`OpenMetrics file: ${claim}`, (t) => {
    for (const windowBytes of [1, 2, 3, 7, 16, 64, 4096]) {
      const got = read(t, text, windowBytes);
      if (want.endsWith(': ')) assert.ok(got.startsWith(want), got);
      // Where the line is counted that is behind the end depends on what is read with it.
      else if (want.includes('after # EOF')) assert.match(got, /^ExpositionError: line [123]: unexpected data after # EOF$/);
      else assert.equal(got, want, `in windows of ${windowBytes}`);
    }
  });
}

test('OpenMetrics file: lines have a bound', (t) => {
  const fits = `a{x="${'y'.repeat(60_000)}"} 1 1\n# EOF\n`;
  assert.ok(read(t, fits, 1000).startsWith('a,x,yyy'));
  const long = `# HELP a ${'y'.repeat(MAX_LINE_BYTES)}\n# EOF\n`;
  for (const windowBytes of [1000, 2 * MAX_LINE_BYTES]) assert.match(read(t, long, windowBytes), /line 1: line is longer than 262144 bytes/);
});

test('OpenMetrics file: one that is not there', () => {
  assert.throws(() => readOpenMetricsFile('/nowhere', { sample: () => {}, progress: () => {} }), /cannot read \/nowhere: .*no such file/);
});
