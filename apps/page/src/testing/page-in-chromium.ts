import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { FakeServer } from './fake-server.ts';

const FOLDER = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VITE = join(FOLDER, '..', '..', 'node_modules', 'vite', 'bin', 'vite.js');
/** Time limit that a poll each second and a slow machine can meet. */
const DEADLINE_MS = 30_000;

/** Path of an installed browser: the one in the npm package is for linux-x64 only. */
const INSTALLED = process.env.TIDEMARK_TEST_CHROME;
const isInNpm = process.platform === 'linux' && process.arch === 'x64';
const MISSING =
  isInNpm || INSTALLED !== undefined
    ? ''
    : 'no Chromium for this platform in npm; set TIDEMARK_TEST_CHROME=/path/to/chrome to use an installed one';

/** Describes tests that need Chromium. They are skipped, with the reason, where there is none. */
export function describeInChromium(name: string, tests: () => void): void {
  const isSkipped = MISSING !== '' && process.env.TIDEMARK_TEST_FULL !== '1';
  (isSkipped ? describe.skip : describe)(`${name}${isSkipped ? ` (${MISSING})` : ''}`, tests);
}

/** The built page in a tab of Chromium, in front of an invented server. */
export class PageInChromium {
  readonly fake: FakeServer;
  readonly page: Page;
  /** Errors and warnings that the browser reported. */
  readonly reported: string[] = [];
  readonly #browser: Browser;
  readonly #built: string;

  private constructor(fake: FakeServer, browser: Browser, page: Page, built: string) {
    this.fake = fake;
    this.page = page;
    this.#browser = browser;
    this.#built = built;
  }

  static async start(viewport = { width: 1_280, height: 800 }): Promise<PageInChromium> {
    const built = mkdtempSync(join(tmpdir(), 'tidemark-page-'));
    const build = spawnSync(process.execPath, [VITE, 'build', '--outDir', built, '--logLevel', 'error'], {
      cwd: FOLDER,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    });
    if (build.status !== 0) throw new Error(`cannot build the page:\n${build.stdout}${build.stderr}`);
    const fake = await FakeServer.start(built);
    const { default: chromium } = await import('@sparticuz/chromium');
    const { chromium: playwright } = await import('playwright-core');
    const browser = await playwright.launch({
      executablePath: INSTALLED ?? (await chromium.executablePath()),
      args: [...chromium.args.filter((arg) => arg !== '--single-process'), '--no-sandbox'],
    });
    const page = await browser.newPage({ viewport, acceptDownloads: true });
    page.setDefaultTimeout(DEADLINE_MS);
    const opened = new PageInChromium(fake, browser, page, built);
    page.on('pageerror', (error) => opened.reported.push(String(error)));
    page.on('console', (message) => {
      // The tests themselves provoke 4xx and 5xx, and read pixels.
      const isProvoked = /Failed to load resource|willReadFrequently/.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !isProvoked) opened.reported.push(message.text());
    });
    return opened;
  }

  /** Opens an address without the state of earlier tests. */
  async open(fragment: string): Promise<void> {
    await this.page.goto('about:blank');
    await this.page.goto(`${this.fake.url}${fragment}`);
  }

  field(label: string) {
    return this.page.getByRole('combobox', { name: label, exact: true });
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.fake.stop();
    rmSync(this.#built, { recursive: true, force: true });
  }
}

/** Waits until a condition holds; false when the deadline passes. */
export async function until(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}
