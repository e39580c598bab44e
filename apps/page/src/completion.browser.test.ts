import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { describeInChromium, PageInChromium, until } from './testing/page-in-chromium.ts';

describeInChromium('completion of a query in Chromium', () => {
  let chromium: PageInChromium;
  let query: Locator;
  let list: Locator;

  beforeAll(async () => {
    chromium = await PageInChromium.start();
    query = chromium.field('Query');
    list = chromium.page.getByRole('listbox', { name: 'Suggestions for the query' });
  });

  afterAll(() => chromium?.stop());

  beforeEach(async () => {
    chromium.fake.metricLimit = 1_000;
    chromium.fake.delayMs = () => 0;
    await chromium.open('#/explore');
  });

  const press = (key: string) => chromium.page.keyboard.press(key);
  const type = (text: string) => chromium.page.keyboard.type(text);
  const first = () => list.getByRole('option').first();
  const firstIs = (text: RegExp) => list.locator('[role=option]:first-child').filter({ hasText: text }).waitFor();

  test('a query is written by the keyboard: metric, tag, method', async () => {
    await query.focus();
    await type('scu');
    await firstIs(/^system\.cpu\.user/);
    expect(await first().locator('mark').allTextContents()).toEqual(['s', 'c', 'u']);
    await press('ArrowDown');
    expect(await query.getAttribute('aria-activedescendant')).toBe(await first().getAttribute('id'));
    await press('Enter');
    expect(await query.inputValue()).toBe('avg:system.cpu.user{*}');

    // The `*` is selected, and the list has the tag keys of the metric.
    await firstIs(/^host/);
    await type('ho');
    await press('ArrowDown');
    await press('Enter');
    await firstIs(/^laptop/);
    await press('ArrowDown');
    await press('Tab');
    expect(await query.inputValue()).toBe('avg:system.cpu.user{host:laptop}');

    await press('End');
    await type('.ro');
    await firstIs(/^rollup/);
    await press('ArrowDown');
    await press('Enter');
    await type('poi');
    await firstIs(/^points/);
    await press('ArrowDown');
    await press('Enter');
    await list.waitFor({ state: 'detached' });
    await press('Enter');
    expect(await query.inputValue()).toBe('avg:system.cpu.user{host:laptop}.rollup(points)');
    expect(await until(async () => chromium.page.url().includes('rollup'))).toBe(true);
    // The fields show the same.
    expect(await chromium.page.getByLabel('Aggregate over time').inputValue()).toBe('points');
  });

  test('the mouse accepts a suggestion, and a click outside closes the list', async () => {
    await query.fill('avg:shop.request.duration{env:');
    await list.getByRole('option', { name: /^staging/ }).click();
    expect(await query.inputValue()).toBe('avg:shop.request.duration{env:staging');
    await type('} by {r');
    await firstIs(/^route/);
    await chromium.page.getByRole('heading', { name: 'Explorer' }).click();
    await list.waitFor({ state: 'detached' });
  });

  test('Escape closes the list and keeps the text; Escape again brings the shown query back', async () => {
    await query.fill('avg:system.lo');
    await list.waitFor();
    expect(await query.getAttribute('aria-expanded')).toBe('true');
    await press('Escape');
    await list.waitFor({ state: 'detached' });
    expect([await query.inputValue(), await query.getAttribute('aria-expanded')]).toEqual(['avg:system.lo', 'false']);
    await press('ArrowDown');
    await list.waitFor();
    await press('Escape');
    await press('Escape');
    expect(await query.inputValue()).toBe('');
  });

  test('Enter without an active option runs the text as it is', async () => {
    await query.fill('avg:system.load.1{*}');
    await press('End');
    await type(' ');
    await firstIs(/^by/);
    await press('Enter');
    await list.waitFor({ state: 'detached' });
    expect(await until(async () => chromium.fake.queries.includes('avg:system.load.1{*}'))).toBe(true);
  });

  test('a list that opens below a mouse at rest has no active option; a move of the mouse makes one active', async () => {
    const moveBelow = async (right: number) => {
      const { x, y, height } = (await query.boundingBox()) ?? { x: 0, y: 0, height: 0 };
      await chromium.page.mouse.move(x + right, y + height + 20);
    };
    await query.focus();
    await moveBelow(60);
    await type('avg:system.load.1{*} ');
    await firstIs(/^by/);
    await press('Enter');
    await list.waitFor({ state: 'detached' });
    expect(await query.inputValue()).toBe('avg:system.load.1{*}');
    // The fields of the formula have moved the field down.
    await chromium.page.getByRole('textbox', { name: 'Formula' }).waitFor();
    await press('End');
    await type(' ');
    await firstIs(/^by/);
    await moveBelow(60);
    await moveBelow(70);
    await list.locator('[aria-selected=true]').waitFor();
    await press('Enter');
    expect(await query.inputValue()).toBe('avg:system.load.1{*} by {}');
  });

  test('of more metrics than one answer has, the server searches; a late answer to an earlier text does not show', async () => {
    chromium.fake.metricLimit = 3;
    chromium.fake.delayMs = ({ searchParams }) => (searchParams.get('contains') === 'avail' ? 1_000 : 0);
    await chromium.open('#/explore');
    const metric = chromium.field('Metric');
    await metric.fill('duration');
    await chromium.page.getByRole('option', { name: /^shop\.request\.duration/ }).waitFor();
    await query.fill('avg:disk');
    await firstIs(/^system\.disk\.in_use/);
    await query.fill('avg:avail');
    await query.fill('avg:swap');
    await list.waitFor({ state: 'detached' });
    await query.fill('avg:net');
    await firstIs(/^system\.net/);
    for (const text of await list.getByRole('option').allTextContents()) expect(text).toMatch(/^system\.net/);
  });

  test('the list is inside of a screen of 400 pixels', async () => {
    await chromium.page.setViewportSize({ width: 400, height: 800 });
    await query.fill('avg:sys');
    await list.waitFor();
    const box = await list.boundingBox();
    expect(box === null ? 'no box' : box.x >= 0 && box.x + box.width <= 400).toBe(true);
    await chromium.page.setViewportSize({ width: 1_280, height: 800 });
  });

  test('the browser reported nothing', () => expect(chromium.reported).toEqual([]));
});
