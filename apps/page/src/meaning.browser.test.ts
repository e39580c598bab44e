import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeInChromium, PageInChromium, until } from './testing/page-in-chromium.ts';

const QUERY = `#/explore?q=${encodeURIComponent('avg:system.load.1{*} / avg:system.cpu.user{*}')}`;

describeInChromium('the meaning of a metric in Chromium', () => {
  let chromium: PageInChromium;

  beforeAll(async () => {
    chromium = await PageInChromium.start();
    await chromium.open(QUERY);
  });

  afterAll(() => chromium?.stop());

  const form = () => chromium.page.getByRole('form', { name: 'Meaning of system.load.1' });
  const sources = () => form().locator('.meaning-fields > .hint').allTextContents();
  const status = () => form().getByRole('status');
  const sourcesAre = (expected: readonly string[]) =>
    until(async () => JSON.stringify(await sources()) === JSON.stringify(expected));

  test('the form has what is known of a metric of the query, and where it comes from', async () => {
    await chromium.page.getByRole('button', { name: 'about system.cpu.user' }).waitFor();
    await chromium.page.getByRole('button', { name: 'about system.load.1' }).click();
    await form().getByLabel('Unit', { exact: true }).waitFor();
    expect(await form().getByLabel('Kind', { exact: true }).inputValue()).toBe('gauge');
    expect(await form().getByLabel('Unit', { exact: true }).inputValue()).toBe('byte');
    const found = ['guessed from the name', 'stated by the sender', 'not known', 'stated by the sender'];
    expect(await sources()).toEqual(found);
    expect(await form().getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  });

  test('a correction is kept, and a guess can be confirmed', async () => {
    await form().getByLabel('Description', { exact: true }).fill('processes that run or wait');
    await form().getByRole('button', { name: 'Save' }).click();
    await status().getByText('saved', { exact: true }).waitFor();
    expect(await form().getByLabel('Description', { exact: true }).inputValue()).toBe('processes that run or wait');
    await form().getByRole('button', { name: 'confirm the kind' }).click();
    const found = ['stated by a user', 'stated by the sender', 'stated by a user', 'stated by the sender'];
    expect(await sourcesAre(found)).toBe(true);
  });

  test('a refusal is shown as text, and what was typed stays', async () => {
    await form().getByLabel('Interval, s', { exact: true }).fill('9000000');
    await form().getByLabel('Interval, s', { exact: true }).press('Enter');
    await status().getByText('statsd_interval: 9000000 (limit: 0 to 2678400 seconds)').waitFor();
    expect(await form().getByLabel('Interval, s', { exact: true }).inputValue()).toBe('9000000');
  });

  test('a statement is taken back, and the form closes', async () => {
    await form().getByRole('button', { name: 'take back the description' }).click();
    const found = ['stated by a user', 'stated by the sender', 'not known', 'stated by the sender'];
    expect(await sourcesAre(found)).toBe(true);
    await form().getByRole('button', { name: 'Close' }).click();
    await form().waitFor({ state: 'detached' });
  });

  test('the browser reported nothing', () => expect(chromium.reported).toEqual([]));
});
