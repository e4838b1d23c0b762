/**
 * The command of the README: `npm start` serves, hands a signal on, and ends with the server's own exit code.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, RunningServer, withFolder } from '../support/servers.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`npm start serves and ends cleanly on ${signal}`, async () => {
    await withFolder(async (folder) => {
      const port = await freePort();
      const flags = [`--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`];
      const npm = spawn('npm', ['start', '--', ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
      const server = await new RunningServer(npm, `http://127.0.0.1:${port}`).untilReady();
      const log = server.log.join('');
      assert.equal(await server.stop(signal), 0, log);
      await eventually('nobody listens any more', async () => {
        const refused = await fetch(`${server.url}/-/healthy`).then(
          () => false,
          () => true,
        );
        return refused ? true : undefined;
      });
      // The folder is free again: no process of the first start holds its lock.
      const again = spawn(join(root, 'bin/coeus'), ['serve', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
      const second = await new RunningServer(again, server.url).untilReady();
      assert.equal(await second.stop(), 0, second.log.join(''));
    });
  });
}
