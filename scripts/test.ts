/**
 * Runs the unit tests in one process: all of src, ui and test/unit, or those under the folders or files named as arguments.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const named = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const places = named.length > 0 ? named : ['src', 'ui', 'test'];
const patterns = places.map((place) => (statSync(place).isDirectory() ? `${place}/**/*.test.ts` : place));
const run = spawnSync(process.execPath, ['--test', '--test-isolation=none', ...flags, ...patterns], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
