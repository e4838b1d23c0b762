/**
 * Which folder may import which. Stages (ingest, store, query, alert) meet only at `core` and are joined in `serve`.
 * Inside a stage a folder may use those listed before it. `npm run layers` checks every import of every module.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders of each stage in order: a folder may import itself and the ones before it. */
const STAGES = {
  core: ['base', 'bytes', 'model', 'kernels', 'chunk', 'storage'],
  ingest: ['discovery', 'exposition', 'scrape', 'receive', 'host'],
  store: ['objstore', 'index', 'wal', 'head', 'block', 'tsdb', 'bucket', 'forward'],
  query: ['select', 'promql'],
  alert: ['rules', 'route', 'notify'],
  serve: ['config', 'api', 'roles', 'cli'],
};
/** Edges between stages, beside "everything may import core" and "serve may import everything". */
const EXTRA = [
  ['alert/rules', 'query/promql'],
  ['store/bucket', 'store/block'],
];
/** Edges that the order inside a stage would allow and the design forbids. */
const FORBIDDEN = [['store/bucket', 'store/head']];

const root = dirname(fileURLToPath(import.meta.url));
const src = join(root, 'src');

function layerOf(file) {
  const [stage, folder] = relative(src, file).split('/');
  return folder === undefined || folder.endsWith('.ts') ? stage : `${stage}/${folder}`;
}

function allowed(from, to) {
  if (from === to || from === 'main.ts') return true;
  if (FORBIDDEN.some(([a, b]) => a === from && b === to)) return false;
  if (EXTRA.some(([a, b]) => a === from && b === to)) return true;
  const [fromStage, fromFolder] = from.split('/');
  const [toStage, toFolder] = to.split('/');
  if (fromStage === 'serve' && toStage !== 'serve') return true;
  if (toStage === 'core' && fromStage !== 'core') return true;
  if (fromStage !== toStage) return false;
  const order = STAGES[fromStage];
  return order !== undefined && order.indexOf(toFolder) >= 0 && order.indexOf(toFolder) <= order.indexOf(fromFolder);
}

const modules = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !file.includes('/kernels/assembly/'));
const faults = [];
for (const file of modules) {
  const text = readFileSync(file, 'utf8');
  const from = layerOf(file);
  if (from.includes('/') && !STAGES[from.split('/')[0]]?.includes(from.split('/')[1])) {
    faults.push(`${relative(root, file)}: folder ${from} is not in the list of layers`);
  }
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    const place = relative(root, file);
    if (specifier.startsWith('.')) {
      const target = resolve(dirname(file), specifier);
      const to = layerOf(target);
      if (target.startsWith(src) && !allowed(from, to)) faults.push(`${place}: ${from} must not import ${to} (${specifier})`);
      const isPrivate = specifier.split('/').at(-1).startsWith('_');
      if (isPrivate && dirname(target) !== dirname(file)) faults.push(`${place}: ${specifier} is private to its folder`);
    } else if (from.startsWith('core/') && specifier.startsWith('node:') && !file.endsWith('.test.ts') && !file.endsWith('.bench.ts')) {
      faults.push(`${place}: core runs in the browser too and must not import ${specifier}`);
    }
  }
}
if (modules.length === 0) faults.push('no module was seen: the check itself is broken');
for (const fault of faults) console.error(fault);
console.log(`layers: ${modules.length} modules, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
