/**
 * Runs tests in one process. Without arguments: all that need nothing but Node (src, ui, test/conformance). With arguments: the folders or
 * files named; test/integration needs the Debian packages that .ci/run installs.
 */
import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';

const named = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const places = named.length > 0 ? named : ['src', 'ui', 'test/conformance'];
const files = places.flatMap((place) => (statSync(place).isDirectory() ? globSync(`${place}/**/*.test.ts`) : [place])).sort();
if (files.length === 0) throw new Error(`no test in ${places.join(', ')}`);
const run = spawnSync(process.execPath, ['--test', '--test-isolation=none', ...flags, ...files], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
