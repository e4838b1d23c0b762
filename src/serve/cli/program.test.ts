import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { ServeFlags } from '../api/serve-flags.ts';
import { TestTerminal } from './_test-terminal.ts';
import { runCommandLine, type CommandParts } from './program.ts';

interface Run {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly served: readonly ServeFlags[];
}

async function run(words: readonly string[], changes: Partial<CommandParts> = {}, stdin = ''): Promise<Run> {
  const served: ServeFlags[] = [];
  const terminal = new TestTerminal({ stdin });
  const parts: CommandParts = {
    runServer: (flags) => Promise.resolve(served.push(flags) - 1),
    testPromql: (paths) => Promise.resolve({ exitCode: 0, stdout: `${paths.join()}\n`, stderr: '' }),
    ...changes,
  };
  const exitCode = await runCommandLine(words, parts, terminal);
  return { exitCode, out: terminal.stdout, err: terminal.stderr, served };
}

test('serve reads flags in both spellings, switches off by --no-, lists by repetition', async () => {
  const { exitCode, served } = await run(['serve', '--web.listen-address=:1', '--web.listen-address', ':2', '--no-web.enable-lifecycle', '--web.enable-remote-write-receiver']);
  assert.equal(exitCode, 0);
  const [flags] = served;
  assert.deepEqual([flags!.listenAddresses, flags!.enableLifecycle, flags!.enableRemoteWriteReceiver], [[':1', ':2'], false, true]);
});

// One row a command line: exit code and how its error begins.
const WRONG: readonly (readonly [string, string])[] = [
  ['serve --nope', "error: unknown option '--nope'"],
  ['serve extra', "error: too many arguments for 'serve'"],
  ['serve --config.file', "error: option '--config.file <value>' argument missing"],
  ['serve --query.timeout=x', 'error: --query.timeout: not a valid duration string: "x"\n'],
  ['serve --web.user-assets=x', 'error: --web.user-assets is not available: '],
  ['nope', "error: unknown command 'nope'"],
  ['check config', "error: missing required argument 'files'"],
  ['query instant localhost', "error: missing required argument 'expr'"],
  ['query instant localhost up --header=x', 'error: --header: "x" is not name=value\n'],
  ['query instant localhost up --time=x', 'error: cannot parse "x" to a valid timestamp\n'],
  ['query instant ::: up', 'query error: ":::" is not a server\'s URL\n'],
];
for (const [line, message] of WRONG) {
  test(`refuses: ${line}`, async () => {
    const { exitCode, err, served } = await run(line.split(' '));
    assert.equal(exitCode, 1);
    assert.ok(err.startsWith(message), err);
    assert.deepEqual(served, []);
  });
}

test('--version says who we are', async () => {
  const { exitCode, out } = await run(['--version']);
  assert.equal(exitCode, 0);
  assert.match(out, /^coeus, version \d+\.\d+\.\d+ \(API of Prometheus 3\.14\.0\)\n/);
});

test('test promql prints and exits as its part says', async () => {
  assert.deepEqual(await run(['test', 'promql', 'x']), { exitCode: 0, out: 'x\n', err: '', served: [] });
});

test('a fault of ours is shown with its place', async () => {
  const { exitCode, err } = await run(['serve'], { runServer: () => Promise.reject(new TypeError('x is undefined')) });
  assert.equal(exitCode, 1);
  assert.match(err, /^error: TypeError: x is undefined\n\s+at /);
});

const ANSWERS: Readonly<Record<string, string>> = {
  '/api/v1/query': '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[5.5,"1"]}]}}',
  '/api/v1/query_range': '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"1"],[5,"2"]]}]}}',
  '/api/v1/series': '{"status":"success","data":[{"__name__":"up","job":"a\\"b"}]}',
  '/api/v1/label/job/values': '{"status":"success","data":["a","b"]}',
  '/-/healthy': 'Prometheus Server is Healthy.\n',
};

// One row a command: what the server is asked for, and what is printed (as promtool prints it).
const QUERIES: readonly (readonly [string, string, string])[] = [
  ['query instant URL up --time=5.5', '/api/v1/query query=up&time=5.5', 'up{job="a"} => 1 @[5.5]\n'],
  ['query instant URL up -o json', '/api/v1/query query=up', '[{"metric":{"__name__":"up","job":"a"},"value":[5.5,"1"]}]\n'],
  ['query range URL up --start=0 --end=10 --step=5s', '/api/v1/query_range query=up&start=0&end=10&step=5s', '{} =>\n1 @[0]\n2 @[5]\n'],
  ['query series URL --match=up', '/api/v1/series match%5B%5D=up', '{__name__="up", job="a\\"b"}\n'],
  ['query labels URL job --match=up --match=down', '/api/v1/label/job/values?match%5B%5D=up&match%5B%5D=down ', 'a\nb\n'],
  ['check healthy --url URL', '/-/healthy ', ''],
];
for (const [line, asked, printed] of QUERIES) {
  test(`prints: ${line}`, async () => {
    let seen = '';
    const server = createServer((request, response) => {
      seen = `${request.url} `;
      request.on('data', (piece: Buffer) => (seen += piece.toString()));
      request.on('end', () => {
        const path = request.url!.split('?')[0]!;
        response.setHeader('content-type', path.startsWith('/api/') ? 'application/json' : 'text/plain');
        response.end(ANSWERS[path]);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const { exitCode, out } = await run(line.split(' ').map((word) => word.replace('URL', url)));
      assert.deepEqual([exitCode, seen, out], [0, asked, printed]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
}
