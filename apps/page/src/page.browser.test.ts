import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FakeServer } from './testing/fake-server.ts';
import { describeInChromium, PageInChromium, until } from './testing/page-in-chromium.ts';

/** Pixels at the soft edges of lines that may have the colour of the tint. */
const FEW_PIXELS = 2_000;

describeInChromium('the page in Chromium', () => {
  let chromium: PageInChromium;
  let fake: FakeServer;
  let page: Page;

  beforeAll(async () => {
    chromium = await PageInChromium.start();
    ({ fake, page } = chromium);
  });

  afterAll(() => chromium?.stop());

  beforeEach(() => {
    Object.assign(fake, { isAway: false, isLocked: false, hasMetrics: true, hasPartError: false, trouble: {} });
    fake.queries.length = 0;
  });

  const open = (fragment: string) => chromium.open(fragment);
  const field = (label: string) => chromium.field(label);

  test('the first view draws graphs of the machine, and shades and labels what is not complete', async () => {
    await open('');
    await page
      .getByText(/^complete through \d\d:\d\d:\d\d \(\d+\.\d s ago\)$/)
      .nth(5)
      .waitFor();
    for (const title of ['CPU', 'Load', 'Memory', 'Network', 'Disk throughput', 'Disk in use']) {
      const pixels = await pixelsOf(page.getByRole('region', { name: title }).locator('canvas'));
      const isShaded = pixels.tideAtTheRight > 100 && pixels.tideElsewhere < FEW_PIXELS;
      expect([title, pixels.line > 200, isShaded]).toEqual([title, true, true]);
    }
    expect(fake.queries.some((query) => query.includes('avg:system.cpu.user{*}, avg:system.cpu.system{*}'))).toBe(true);
  });

  test('a graph and its label follow the clock by themselves', async () => {
    await open('');
    const label = page.getByText(/^complete through/).first();
    const before = (await label.textContent())?.slice(0, 25) ?? '';
    await expect(until(async () => !(await label.textContent())?.startsWith(before))).resolves.toBe(true);
  });

  test('the explorer finds a metric, filters and groups by typing, and keeps all of them in the address', async () => {
    await open('#/explore');
    await field('Metric').fill('duration');
    await page.getByRole('option', { name: /shop\.request\.duration/ }).waitFor();
    await field('Metric').press('ArrowDown');
    await field('Metric').press('Enter');
    await field('Filter: tag key').fill('env');
    await page.getByRole('option', { name: /^env/ }).click();
    await field('Filter: value of env').click();
    await page.getByRole('option', { name: /prod.*80 series/ }).click();
    await page.getByRole('button', { name: 'exclude env:prod' }).click();
    await field('Group by tag key').fill('host');
    await page.getByRole('option', { name: /^host/ }).click();
    await page.getByLabel('Aggregate over time').selectOption('max');
    await page.getByLabel('Step').selectOption('60');
    const text = 'p95:shop.request.duration{!env:prod} by {host}.rollup(max, 60)';
    await expect(page.getByRole('combobox', { name: 'Query' }).inputValue()).resolves.toBe(text);
    await page.getByRole('button', { name: 'host:web-2' }).waitFor();
    await page.getByRole('button', { name: '1h', exact: true }).click();

    await open(new URL(page.url()).hash);
    await expect(page.getByRole('combobox', { name: 'Query' }).inputValue()).resolves.toBe(text);
    await expect(page.getByRole('button', { name: '1h' }).getAttribute('aria-pressed')).resolves.toBe('true');
    await page.getByRole('button', { name: 'host:web-2' }).waitFor();
  });

  test('the explorer computes a formula of two queries, one row of fields each, and puts a function around it', async () => {
    await open('#/explore');
    await field('Metric').fill('system.io.rkb_s');
    await page.getByRole('option', { name: /system\.io\.rkb_s/ }).click();
    await page.getByLabel('Show amounts').selectOption('rate');
    await page.getByRole('button', { name: '+ query' }).click();
    const second = page.getByRole('group', { name: 'Query b' });
    await second.getByRole('combobox', { name: 'Metric' }).fill('system.io.wkb_s');
    await page.getByRole('option', { name: /system\.io\.wkb_s/ }).click();
    const text = page.getByRole('combobox', { name: 'Query', exact: true });
    const shown = (query: string) => expect(until(async () => (await text.inputValue()) === query)).resolves.toBe(true);
    await shown('avg:system.io.rkb_s{*}.as_rate(), avg:system.io.wkb_s{*}');
    const formula = page.getByRole('textbox', { name: 'Formula' });
    await formula.fill('100 * a / (a + c)');
    await page.getByText('no query is named c').waitFor();
    await formula.fill('100 * a / (a + b)');
    await formula.press('Enter');
    const [a, b] = ['avg:system.io.rkb_s{*}.as_rate()', 'avg:system.io.wkb_s{*}'];
    await shown(`100 * ${a} / (${a} + ${b})`);
    await page.getByLabel('Add function').selectOption('clamp_max');
    await shown(`clamp_max(100 * ${a} / (${a} + ${b}), 100)`);
    await page.getByRole('button', { name: 'remove query b' }).click();
    await shown(a);
  });

  test('the legend sorts by its figures and shows one line alone; the drawing is in the address', async () => {
    await open(`#/explore?q=${encodeURIComponent('avg:shop.request.duration{*} by {host}')}`);
    const legend = page.locator('.legend-table');
    await legend.getByRole('button', { name: 'host:web-2' }).waitFor();
    await legend.getByRole('button', { name: 'Series' }).click();
    expect(await legend.locator('tbody th').allTextContents()).toEqual([
      'host:db-1',
      'host:web-1',
      'host:web-2',
      'host:web-3',
    ]);
    const pressed = () =>
      legend.locator('.legend-button').evaluateAll((all) => all.map((one) => one.getAttribute('aria-pressed')));
    await legend.getByRole('button', { name: 'host:web-2' }).click();
    expect(await pressed()).toEqual(['false', 'false', 'true', 'false']);
    await legend.getByRole('button', { name: 'host:db-1' }).click({ modifiers: ['Shift'] });
    expect(await pressed()).toEqual(['true', 'false', 'true', 'false']);
    await page.getByLabel('Draw as').selectOption('stacked');
    expect(page.url()).toContain('draw=stacked');
    expect(await page.getByLabel('Scale').isDisabled()).toBe(true);
    await page.getByLabel('Draw as').selectOption('lines');
    await page.getByLabel('Scale').selectOption('log');
    expect(page.url()).toContain('scale=log');
    expect((await pixelsOf(page.locator('.chart canvas'))).line).toBeGreaterThan(200);
  });

  test('the explorer zooms by dragging, limits the series, and saves the shown series as CSV', async () => {
    await open(`#/explore?q=${encodeURIComponent('avg:shop.request.duration{*} by {route}')}&top=5`);
    await page.getByText('the highest 5 of 40 series, by average').waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const csv = readFileSync(await (await download).path(), 'utf8').split('\r\n');
    expect(csv[0]).toMatch(/^time,complete,route:\S+(,route:\S+){4}$/);
    expect(csv[1]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,true,[\d.]+/);
    expect(csv.at(-2)).toContain('Z,false,');

    const box = await page.locator('.u-over').boundingBox();
    if (box === null) throw new Error('the graph has no bounding box');
    await page.mouse.move(box.x + 300, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 600, box.y + 80, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Back to live' }).waitFor();
    expect(page.url()).toMatch(/range=\d{13}-\d{13}/);
    await page.getByRole('button', { name: 'Back to live' }).click();
    expect(page.url()).not.toContain('range=');
  });

  test('the editor marks the column of a syntax error, and runs the corrected text', async () => {
    await open('#/explore');
    const text = page.getByRole('combobox', { name: 'Query' });
    await text.fill('avg:system.load.1{*} bye {host}');
    await text.press('Enter');
    await page.getByText(/column 22.*did you mean by\?/).waitFor();
    const [excerpt, caret] = (await page.locator('.query-error pre').textContent())?.split('\n') ?? [];
    expect(excerpt.slice(caret.indexOf('^'))).toBe('bye {host}');
    await text.fill('avg:system.load.1{*} by {host}');
    await text.press('Enter');
    await page.getByRole('button', { name: 'host:web-1' }).waitFor();
    await expect(page.locator('.query-error').textContent()).resolves.toBe('');
  });

  test('the explorer reports a failed part, and shows the answer as incomplete', async () => {
    fake.hasPartError = true;
    await open('#/explore?q=avg:system.load.1{*}');
    await page.getByText('points/3 did not answer, so values may be missing: connection refused').waitFor();
    await page.getByText('completeness unknown').waitFor();
    // All of it is shaded: about half of the graph is above its line, where nothing else tints it.
    const canvas = page.locator('.chart canvas');
    expect(await until(async () => (await pixelsOf(canvas)).tideElsewhere > 20 * FEW_PIXELS)).toBe(true);
  });

  test('the pipeline view names what delays completeness', async () => {
    await open('#/status');
    const verdict = page.getByRole('status', { name: 'Verdict' });
    await verdict.getByText(/^All 4 partitions are complete through \d\d:\d\d:\d\d/).waitFor();
    fake.trouble = { silentMs: 8_000 };
    await verdict
      .getByText(/^points\/2: lane 6 of session ab12 \(intake@laptop\) has not marked for 8\.\d s/)
      .waitFor();
    fake.trouble = { halted: 'record has a wrong CRC' };
    await verdict.getByText(/^points\/3 has halted at offset 48,261: record has a wrong CRC/).waitFor();
    await page.getByRole('region', { name: 'Refused data' }).getByText('first in shop.orders').waitFor();
    await page.getByRole('region', { name: 'Checks and targets' }).getByText('connect ECONNREFUSED').waitFor();
    await page.getByRole('row', { name: /^timestamp_behind .* 31 \d\d:\d\d:\d\d 1 min 5 s ago/ }).waitFor();
    const clients = page.getByRole('region', { name: /^Agents and clients/ });
    await clients.getByRole('row', { name: /^5eed2244 agent web-1/ }).waitFor();
    await clients.getByRole('row', { name: /^c0ffee11 nightly job, not connected/ }).waitFor();
  });

  test('the graphs stay while the server is unreachable, say since when, and recover', async () => {
    await open('');
    await page
      .getByText(/^complete through/)
      .nth(5)
      .waitFor();
    fake.isAway = true;
    await page
      .getByText(/^no answer since \d\d:\d\d:\d\d \(/)
      .nth(5)
      .waitFor();
    const pixels = await pixelsOf(page.getByRole('region', { name: 'CPU' }).locator('canvas'));
    expect(pixels.line).toBeGreaterThan(200);
    fake.isAway = false;
    await page
      .getByText(/^complete through/)
      .nth(5)
      .waitFor();
  });

  test('the page shows how to send a first metric, and asks for a key when the server needs one', async () => {
    fake.hasMetrics = false;
    await open('');
    await page.getByText('nc -u -w1 127.0.0.1 8125').waitFor();
    fake.isLocked = true;
    await page.getByRole('textbox', { name: /Key with scope/ }).waitFor();
  });

  test('the page follows a dark colour scheme', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await open('');
    await page
      .getByText(/^complete through/)
      .nth(5)
      .waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.body.parentElement as Element).backgroundColor)).toBe(
      'rgb(14, 18, 21)',
    );
    expect((await pixelsOf(page.getByRole('region', { name: 'CPU' }).locator('canvas'))).line).toBeGreaterThan(200);
    await page.emulateMedia({ colorScheme: null });
  });

  test('the browser reported no error, no warning, and no violation of the content security policy', () => {
    expect(chromium.reported).toEqual([]);
  });
});

interface Pixels {
  /** Strongly coloured pixels: lines. */
  readonly line: number;
  /** Pixels that the shade tints, in the right tenth of the graph, and left of it. */
  readonly tideAtTheRight: number;
  readonly tideElsewhere: number;
}

/** Counts pixels of a canvas. The shade tints towards teal: less red than green and blue, but not a line. */
async function pixelsOf(canvas: ReturnType<Page['locator']>): Promise<Pixels> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const context = (element as HTMLCanvasElement).getContext('2d');
    if (context === null) throw new Error('no canvas');
    const { data } = context.getImageData(0, 0, width, height);
    const found = { line: 0, tideAtTheRight: 0, tideElsewhere: 0 };
    for (let at = 0; at < data.length; at += 4) {
      // As it looks over a white page; the canvas itself is clear where nothing is drawn.
      const alpha = data[at + 3] / 255;
      const [r, g, b] = [data[at], data[at + 1], data[at + 2]].map((part) => part * alpha + 255 * (1 - alpha));
      if (Math.max(r, g, b) - Math.min(r, g, b) > 100) found.line++;
      const x = (at / 4) % width;
      // The tint over white is (226, 238, 240), the fill below a blue line (229, 239, 250).
      if (r < 232 && g - r > 8 && b - r > 10 && b >= g && b - g < 6) {
        if (x > width * 0.9) found.tideAtTheRight++;
        else found.tideElsewhere++;
      }
    }
    return found;
  });
}
