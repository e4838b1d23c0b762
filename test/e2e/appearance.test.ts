/**
 * Every page in light and dark, on a desk and on a phone: no accessibility fault, nothing wider than the screen, no error in the console.
 *
 * SCREENSHOTS=FOLDER keeps a picture of each for people to look at.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Page } from 'playwright-core';
import { eventually, freePort, hasChromium, startCoeus, withFolder } from '../support/servers.ts';

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
  ['discovery', '/service-discovery', '[data-testid=discovery-row]'],
  ['relabelling', '/service-discovery?pool=relabelled', '[data-testid=discovery-row]'],
  ['status', '/status', 'text=API of Prometheus'],
  ['storage', '/tsdb-status', 'text=Metrics with most series'],
  ['flags', '/flags', 'text=--web.listen-address'],
  ['config', '/config', 'text=job_name: relabelled'],
  ['rules', '/rules', 'text=There is no page yet'],
  ['alerts', '/alerts', 'text=There is no page yet'],
  ['alertmanagers', '/alertmanager-discovery', 'text=There is no page yet'],
] as const;
const SCREENS = { desk: { width: 1280, height: 900 }, phone: { width: 320, height: 720 } } as const;

/** The server itself, its machine, and a job whose targets are relabelled and dropped. */
const config = (port: number): string => `global: { scrape_interval: 1s }
scrape_configs:
- job_name: coeus
  static_configs: [{ targets: ['127.0.0.1:${port}'] }]
- job_name: node
  metrics_path: /metrics/host
  static_configs: [{ targets: ['127.0.0.1:${port}'] }]
- job_name: relabelled
  static_configs:
  - targets: ['127.0.0.1:${port}', 'a-host-with-a-long-name.in.a.long.domain.example:9100', 'dropped.example:1']
    labels: { zone: eu-west-1, __meta_made_up_for_this_test: 'a long text without any meaning, which has to be broken somewhere' }
  relabel_configs:
  - { source_labels: [__address__], regex: 'dropped.*', action: drop }
  - { source_labels: [zone], regex: '(..)-.*', target_label: continent }
  - { action: labeldrop, regex: zone }
`;
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
    const port = await freePort();
    const server = await (await startCoeus({ folder, port, config: config(port) })).untilReady();
    await eventually('two scrapes are stored', async () => {
      const { text } = await server.get('/api/v1/query', { query: 'min(count_over_time(up{job="node"}[5m])) > 1' });
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
              // Each of a pool's rules, one by one.
              for (const summary of name === 'relabelling' ? await page.locator('summary').all() : [])
                await summary.click();
              if (name === 'relabelling') await page.getByText('drops the target').waitFor();
              if (pictures !== undefined)
                await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${screen}.png`), fullPage: true });
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
      await t.test('a reload that failed is told on every page until one succeeds', async () => {
        const context = await browser.newContext({ baseURL: server.url });
        const page = await context.newPage();
        const notice = page.getByText('Configuration reload has failed.');
        const reload = async (text: string, outcome: string): Promise<void> => {
          writeFileSync(join(folder, 'prometheus.yml'), text);
          server.process.kill('SIGHUP');
          await eventually('the reload is over', async () =>
            (await server.get('/api/v1/notifications')).text.includes('reload') === (outcome === 'fails')
              ? true
              : undefined,
          );
        };
        await reload('nothing: 1', 'fails');
        await page.goto('/flags');
        await notice.waitFor();
        if (pictures !== undefined) await page.screenshot({ path: join(pictures, 'notice.png') });
        assert.deepEqual(await faults(page), []);
        await reload(config(port), 'succeeds');
        await page.reload();
        await page.getByText('--web.listen-address').waitFor();
        await notice.waitFor({ state: 'detached' });
        await context.close();
      });
    } finally {
      await browser.close();
    }
    assert.equal(await server.stop(), 0);
  });
});
