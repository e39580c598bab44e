import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear(), 60_000);

const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;
const DAY_MS = 24 * HOUR_MS;
/** Far below the large errors of the clock: an intake that waits for the wrong time fails. */
const WITHIN_MS = 60_000;
const TEST_MS = 120_000;

/** A sender whose clock is right, and that has no session: what is refused permanently is lost. */
class Sender {
  readonly #platform: PlatformUnderTest;
  readonly fromMs = Math.floor(Date.now() / 1000) * 1000;
  accepted = 0;
  /** Statuses other than 202 since the last `forget`. */
  refused = new Map<number, string>();

  constructor(platform: PlatformUnderTest) {
    this.#platform = platform;
  }

  /** Sends one count with the right time. Returns true when it was accepted. */
  async send(): Promise<boolean> {
    const points = [{ timestamp: Math.floor(Date.now() / 1000), value: 1 }];
    const body = JSON.stringify({ series: [{ metric: 'steps.sent', type: 1, points }] });
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${this.#platform.httpUrl}/api/v2/series`, { method: 'POST', body, headers });
    if (reply.status === 202) this.accepted++;
    else this.refused.set(reply.status, await reply.text());
    return reply.status === 202;
  }

  forget(): void {
    this.refused = new Map();
  }
}

interface Member {
  readonly name: string;
  /** Error of the clock before the step, ms. It is right after it, as the sender's is all the time. */
  readonly errorMs: number;
  readonly isSuspended?: boolean;
}

/** During a suspension the process is frozen, and wall time continues without monotonic time. */
const MEMBERS: readonly Member[] = [
  { name: 'from a second ahead', errorMs: SECOND_MS },
  { name: 'from eight seconds ahead, which is waited for', errorMs: 8 * SECOND_MS },
  { name: 'from half a minute behind', errorMs: -30 * SECOND_MS },
  { name: 'from two hours behind', errorMs: -2 * HOUR_MS },
  { name: 'from eight days ahead', errorMs: 8 * DAY_MS },
  { name: 'from eight days behind, after a suspension', errorMs: -8 * DAY_MS, isSuspended: true },
];

test.each(MEMBERS)(
  'a clock steps $name: points are only retried, and nothing of the future is complete',
  async ({ errorMs, isSuspended = false }) => {
    const clock = join(await harness.folder(), 'ahead');
    await writeFile(clock, String(errorMs));
    const platform = await harness.platform({}, { clockAheadFile: clock });
    const sender = new Sender(platform);
    await sender.send();
    if (isSuspended) platform.freeze();
    await writeFile(clock, '0');
    if (isSuspended) platform.thaw();
    const isRight = async () => Math.abs((await platform.health()).nowMs - Date.now()) < SECOND_MS / 2;
    await eventually('the platform to have the right clock', isRight);
    sender.forget();
    let inARow = 0;
    await eventually(
      'points to be accepted, with the lanes of a right clock',
      async () => {
        inARow = (await sender.send()) ? inARow + 1 : 0;
        const { completeThroughMs } = await platform.query('sum:steps.sent{*}', sender.fromMs, Date.now() + 60_000);
        expect(completeThroughMs ?? 0).toBeLessThanOrEqual(Date.now());
        return inARow >= 10 && (completeThroughMs ?? 0) > Date.now() - 5000;
      },
      WITHIN_MS,
    );
    expect([...sender.refused].filter(([status]) => status !== 503)).toEqual([]);
    const reply = await platform.queryComplete('sum:steps.sent{*}.rollup(points, 1)', sender.fromMs, Date.now());
    const stored = reply.series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
    expect(stored).toBe(sender.accepted);
  },
  TEST_MS,
);
