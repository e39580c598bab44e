import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { describeInChromium, PageInChromium, until } from './testing/page-in-chromium.ts';

const WIDTH = 400;
const HEIGHT = 800;
const GROUPED = `#/explore?q=${encodeURIComponent('avg:shop.request.duration{env:prod} by {route}')}`;

describeInChromium('the page at 400 pixels in Chromium', () => {
  let chromium: PageInChromium;

  beforeAll(async () => {
    chromium = await PageInChromium.start({ width: WIDTH, height: HEIGHT });
  });

  afterAll(() => chromium?.stop());

  afterEach(() => expect(chromium.reported).toEqual([]));

  async function expectInside(popup: Locator): Promise<void> {
    await popup.waitFor();
    // Options arrive later and make a list wider.
    const isInside = async () => {
      const box = await popup.boundingBox();
      return box !== null && box.x >= 0 && box.x + box.width <= WIDTH && box.y >= 0 && box.y + box.height <= HEIGHT;
    };
    expect([await popup.getAttribute('aria-label'), await until(isInside)]).toEqual([expect.any(String), true]);
  }

  async function expectFits(): Promise<void> {
    const found = await chromium.page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      outside: [...document.querySelectorAll('button, input, select, a')]
        // A table that is wider than the screen scrolls by itself.
        .filter((element) => element.closest('.table-frame') === null)
        .filter(
          (element) =>
            element.scrollWidth > element.clientWidth + 1 || element.getBoundingClientRect().right > innerWidth,
        )
        .filter((element) => !(element instanceof HTMLInputElement))
        .map(({ textContent }) => textContent),
    }));
    expect(found).toEqual({ scroll: 0, outside: [] });
  }

  test.each([
    ['dashboard', ''],
    ['explorer', '#/explore'],
    ['explorer with a graph', GROUPED],
    ['pipeline', '#/status'],
  ])('the %s has no horizontal scroll, and no button outside of the screen', async (_, fragment) => {
    await chromium.open(fragment);
    await chromium.page
      .getByText(/^complete /)
      .first()
      .waitFor();
    await expectFits();
  });

  test('the form of a metric has no horizontal scroll, and nothing outside of the screen', async () => {
    await chromium.open(GROUPED);
    await chromium.page.getByRole('button', { name: 'about shop.request.duration' }).click();
    await chromium.page.getByRole('button', { name: 'confirm the kind' }).waitFor();
    await expectFits();
  });

  test.each(['Metric', 'Filter: tag key', 'Group by tag key'])(
    'the list of %s is inside of the screen',
    async (label) => {
      await chromium.open(GROUPED);
      const list = chromium.page.getByRole('listbox', { name: label });
      await chromium.field(label).click();
      await expectInside(list);
      await chromium.page.keyboard.press('Escape');
      await list.waitFor({ state: 'detached' });
      await chromium.page.keyboard.press('ArrowDown');
      await expectInside(list);
      await chromium.page.getByRole('heading', { name: 'Explorer' }).click();
      await list.waitFor({ state: 'detached' });
    },
  );

  test('the popup of a custom range is inside of the screen, and Escape or a click outside close it', async () => {
    await chromium.open(GROUPED);
    const button = chromium.page.getByRole('button', { name: 'Custom' });
    const popup = chromium.page.getByRole('form', { name: 'Custom time range' });
    await button.click();
    await expectInside(popup);
    await chromium.page.keyboard.press('Escape');
    await popup.waitFor({ state: 'detached' });
    await button.click();
    await popup.waitFor();
    await chromium.page.getByRole('heading', { name: 'Explorer' }).click();
    await popup.waitFor({ state: 'detached' });
  });
});
