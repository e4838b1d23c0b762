/**
 * The main job as a newcomer sees it: one command, a page with live charts, a query and its graph.
 */
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type Page } from 'playwright-core';
import { test } from 'node:test';
import { eventually, hasChromium, startCoeus, withFolder, type RunningServer } from '../support/servers.ts';

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

async function withPage(server: RunningServer, options: { width: number; height: number; colorScheme: 'light' | 'dark' }, body: (page: Page, errors: string[]) => Promise<void>): Promise<void> {
  const browser: Browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: QUIET });
  try {
    const context = await browser.newContext({ viewport: { width: options.width, height: options.height }, colorScheme: options.colorScheme, baseURL: server.url, bypassCSP: true });
    // The test's own scripts run in the page as text, which the page's policy forbids.
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await body(page, errors);
  } finally {
    await browser.close();
  }
}

async function assertAccessible(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), [], name);
}

/** How many pixels of the index-th canvas below `selector` are not transparent. The text runs in the page. */
const drawnPixels = (page: Page, selector: string, index = 0): Promise<number> =>
  page.evaluate<number>(`(() => {
    const canvas = document.querySelectorAll(${JSON.stringify(`${selector} canvas`)})[${index}];
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] !== 0) drawn++;
    return drawn;
  })()`);

test('a new server shows live charts, answers a query and draws its graph', { skip: hasChromium ? false : 'chromium is not installed' }, async () => {
  await withFolder(async (folder) => {
    const server = await (await startCoeus({ folder })).untilReady();
    await withPage(server, { width: 1280, height: 900, colorScheme: 'light' }, async (page, errors) => {
      await page.goto('/');
      const chart = '[data-testid=home-chart]';
      // A card with a canvas whose data has two points or more.
      const drawn = `[...document.querySelectorAll('${chart} canvas')].findIndex((canvas) => Number(canvas.closest('${chart}').getAttribute('data-points')) > 1)`;
      await page.waitForFunction(`${drawn} >= 0`, undefined, { timeout: 30_000 });
      assert.ok((await drawnPixels(page, chart, await page.evaluate<number>(drawn))) > 200, 'a chart is drawn');
      await assertAccessible(page, 'home');

      // The table shows the instant of the click: by then each job has been scraped.
      await eventually('both jobs are scraped', async () => ((await server.api('query', { query: 'count(up == 1) == 2' })).data as { result: unknown[] }).result[0]);
      await page.goto('/query');
      await page.locator('[data-testid=query-editor]').fill('sum by (job) (up)');
      // The list of completions closes.
      await page.keyboard.press('Escape');
      await page.locator('[data-testid=query-run]').click();
      await page.locator('[data-testid=query-table]').getByText('coeus').first().waitFor();
      await assertAccessible(page, 'query');
      await page.goto('/query?g0.expr=up&g0.tab=graph&g0.range_input=5m');
      await page.locator('[data-testid=query-graph] canvas').first().waitFor();
      assert.ok((await drawnPixels(page, '[data-testid=query-graph]')) > 200, 'the graph is drawn');
      await page.goto('/query?g0.expr=sum(&g0.tab=table');
      await page.locator('[data-testid=query-error]').filter({ hasText: 'parse error' }).waitFor();

      await page.goto('/targets');
      await page.locator('[data-testid=targets-row]').nth(1).waitFor();
      await assertAccessible(page, 'targets');
      await page.goto('/status');
      await page.getByText('Coeus').first().waitFor();
      await assertAccessible(page, 'status');
      assert.deepEqual(errors, []);
    });
    await withPage(server, { width: 320, height: 640, colorScheme: 'dark' }, async (page, errors) => {
      for (const path of ['/', '/query?g0.expr=up&g0.tab=graph', '/targets', '/status']) {
        await page.goto(path);
        await page.locator('main').waitFor();
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
        assert.ok(overflow <= 1, `${path} fits a narrow screen: ${overflow} px too wide`);
      }
      assert.deepEqual(errors, []);
    });
    assert.equal(await server.stop(), 0);
  });
});
