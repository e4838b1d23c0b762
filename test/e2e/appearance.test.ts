/**
 * Every page in light and dark, on a desk and on a phone: no accessibility fault, nothing wider than the screen, no error in the console.
 *
 * SCREENSHOTS=FOLDER keeps a picture of each for people to look at.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Page } from 'playwright-core';
import { eventually, hasChromium, startCoeus, withFolder } from '../support/servers.ts';

const CHROMIUM = '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Each page with what shows that it has its data. */
const PAGES = [
  ['home', '/', '[data-testid=home-chart] canvas'],
  ['query-table', '/query?g0.expr=up&g0.tab=table', '[data-testid=query-table]'],
  ['query-graph', '/query?g0.expr=up&g0.tab=graph&g0.range_input=5m', '[data-testid=query-graph] canvas'],
  ['query-error', '/query?g0.expr=sum(&g0.tab=table', '[data-testid=query-error]'],
  ['targets', '/targets', '[data-testid=targets-row]'],
  ['status', '/status', 'main'],
] as const;
const SCREENS = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 740 } } as const;
const PATIENCE_MS = 30_000;

async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test('pages are readable', { skip: hasChromium ? false : 'chromium is not installed' }, async (t) => {
  const pictures = process.env['SCREENSHOTS'];
  if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  await withFolder(async (folder) => {
    const server = await (await startCoeus({ folder })).untilReady();
    await eventually('two scrapes are stored', async () => {
      const { text } = await server.get('/api/v1/query', { query: 'min(count_over_time(up[5m])) > 1' });
      return text.includes('"value"') ? true : undefined;
    });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
    try {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const [screen, viewport] of Object.entries(SCREENS)) {
          const context = await browser.newContext({ viewport, colorScheme, baseURL: server.url });
          const page = await context.newPage();
          const errors: string[] = [];
          page.on('pageerror', ({ message }) => errors.push(message));
          for (const [name, path, shown] of PAGES) {
            await t.test(`${name}, ${colorScheme}, ${screen}`, async () => {
              errors.length = 0;
              await page.goto(path);
              await page.locator(shown).first().waitFor({ timeout: PATIENCE_MS });
              if (pictures !== undefined)
                await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${screen}.png`) });
              const excess = await page.evaluate<number>(
                'document.documentElement.scrollWidth - document.documentElement.clientWidth',
              );
              assert.ok(excess <= 1, `${excess} px too wide`);
              assert.deepEqual(await faults(page), []);
              assert.deepEqual(errors, []);
            });
          }
          await context.close();
        }
      }
    } finally {
      await browser.close();
    }
    assert.equal(await server.stop(), 0);
  });
});
