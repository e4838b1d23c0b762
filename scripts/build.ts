/**
 * Builds what is not run from source: the WebAssembly kernels and the browser app into build/, and the server as JavaScript into
 * dist/, which starts faster and holds 50 MB less than source whose types each thread strips for itself.
 * With --if-stale it does nothing when the inputs' hash is that of the last build.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KERNELS } from './kernels.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampFile = join(root, 'build', 'stamp');

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

async function buildKernels(): Promise<void> {
  const { default: asc } = await import('assemblyscript/asc');
  for (const { name, memoryBase } of KERNELS) {
    const { error, stderr } = await asc.main(
      [
        `src/core/kernels/assembly/${name}.ts`,
        '--outFile',
        `build/kernels/${name}.wasm`,
        '-O3',
        '--runtime',
        'stub',
        '--noAssert',
        '--enable',
        'simd',
        '--enable',
        'threads',
        '--importMemory',
        '--sharedMemory',
        '--initialMemory',
        '1',
        '--maximumMemory',
        '65536',
        '--noExportMemory',
        '--memoryBase',
        String(memoryBase),
      ],
      { baseDir: root } as never,
    );
    if (error) throw new Error(`kernel ${name} does not compile: ${error.message}\n${JSON.stringify(stderr)}`);
  }
}

async function buildUi(): Promise<void> {
  const { build } = await import('vite');
  await build({ root: join(root, 'ui'), configFile: join(root, 'ui', 'vite.config.ts'), logLevel: 'warn' });
}

/** Modules that start a thread of their own, by where they go. The rest is shared between them in a few files: hundreds are slow to load. */
const SERVER_ENTRIES = {
  main: 'src/main.ts',
  'serve/roles/ingest-worker': 'src/serve/roles/ingest-worker.ts',
  'serve/roles/query-worker': 'src/serve/roles/query-worker.ts',
  'serve/roles/store-worker': 'src/serve/roles/store-worker.ts',
  // Beside the file that its starter is bundled into.
  'serve/roles/password-worker': 'src/serve/api/password-worker.ts',
};

async function buildServer(): Promise<void> {
  const { build } = await import('vite');
  const input = Object.fromEntries(Object.entries(SERVER_ENTRIES).map(([name, file]) => [name, join(root, file)]));
  // Shared files lie as deep as their modules did: paths beside them stay right.
  const output = { entryFileNames: '[name].js', chunkFileNames: 'serve/roles/[name]-[hash].js' };
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: { ssr: true, target: 'node26', outDir: join(root, 'dist'), emptyOutDir: true, minify: false, rollupOptions: { input, output } },
  });
}

async function buildPart(part: string, inputs: readonly string[], stamps: Record<string, string>, build: () => Promise<void>): Promise<void> {
  const hash = hashOf(inputs);
  if (process.argv.includes('--if-stale') && stamps[part] === hash) return;
  const began = performance.now();
  await build();
  stamps[part] = hash;
  writeFileSync(stampFile, JSON.stringify(stamps));
  process.stderr.write(`built ${part} in ${Math.round(performance.now() - began)} ms\n`);
}

if (Number(process.versions.node.split('.')[0]) < 26) {
  throw new Error(`Node 26 or newer is needed, this is ${process.version}; run it through npm or bin/coeus`);
}
process.chdir(root);
mkdirSync(join(root, 'build', 'kernels'), { recursive: true });
const stamps: Record<string, string> = existsSync(stampFile) ? (JSON.parse(readFileSync(stampFile, 'utf8')) as Record<string, string>) : {};
const shared = [join(root, 'package-lock.json'), join(root, 'scripts', 'build.ts'), join(root, 'scripts', 'kernels.ts')];
await buildPart('kernels', [...shared, ...filesUnder(join(root, 'src/core/kernels/assembly'))], stamps, buildKernels);
if (existsSync(join(root, 'ui', 'vite.config.ts'))) {
  await buildPart('ui', [...shared, ...filesUnder(join(root, 'ui')), ...filesUnder(join(root, 'src/query/promql')), ...filesUnder(join(root, 'src/core/model'))], stamps, buildUi);
}
await buildPart('server', [...shared, ...filesUnder(join(root, 'src'))], stamps, buildServer);
