// Takes a picture of the page of a running platform, in Chromium, as README.md and reviews need them:
//   node tools/page-screenshot.mjs http://127.0.0.1:4270/ docs/images/page.png 1280 800
// The address may have a fragment (#/explore?q=…). Errors that the browser reports make it fail.
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

const [address, file, width = '1280', height = '800'] = process.argv.slice(2);
if (address === undefined || file === undefined) {
  console.error('usage: node tools/page-screenshot.mjs ADDRESS FILE.png [WIDTH] [HEIGHT]');
  process.exit(2);
}

const browser = await playwright.launch({
  executablePath: process.env.TIDEMARK_TEST_CHROME ?? (await chromium.executablePath()),
  args: [...chromium.args.filter((arg) => arg !== '--single-process'), '--no-sandbox'],
});
const reported = [];
try {
  const page = await browser.newPage({ viewport: { width: Number(width), height: Number(height) } });
  page.on('pageerror', (error) => reported.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') reported.push(message.text());
  });
  await page.goto(address);
  // The pill at the top, then each graph: until then there is a text such as "loading…".
  await page
    .getByText(/^complete /)
    .first()
    .waitFor();
  await page.waitForFunction(() => !document.body.textContent.includes('loading…'));
  await page.screenshot({ path: file });
} finally {
  await browser.close();
}
for (const text of reported) console.error(`the browser reported: ${text}`);
process.exitCode = reported.length > 0 ? 1 : 0;
