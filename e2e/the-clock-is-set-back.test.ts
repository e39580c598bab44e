import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { askDoctor } from './process/ask-doctor.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear(), 60_000);

const HOUR_MS = 3_600_000;
const METRIC = 'app.orders';
/** Far below the error of the clock: an intake that waits for the wrong time fails. */
const WITHIN_MS = 60_000;
const TEST_MS = 240_000;

/** Records counts with the right time, and has them acknowledged. */
class Sender {
  readonly #client: Client;
  readonly fromMs = Math.floor(Date.now() / 1000) * 1000;
  sum = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  async send(): Promise<void> {
    for (let i = 1; i <= 20; i++) {
      this.sum += i;
      this.#client.count(METRIC, i, [`id:${i}`], Date.now());
    }
    void this.#client.flush();
    const isSettled = () => this.#client.stats().pendingPoints === 0;
    await eventually('the points to be acknowledged', isSettled, WITHIN_MS);
    expect(this.#client.stats()).toMatchObject({ rejectedPoints: 0, refusedPoints: 0, indeterminatePoints: 0 });
  }

  /** Returns the sum of an answer that is complete through now, and that claims nothing of the future. */
  async stored(platform: PlatformUnderTest): Promise<number> {
    const toMs = Date.now();
    const reply = await platform.queryComplete(`sum:${METRIC}{*}.rollup(points, 1)`, this.fromMs, toMs);
    expect(reply.completeThroughMs).toBeLessThanOrEqual(Date.now());
    return reply.series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
  }
}

/** Waits until the watermark of each partition is ahead of the right time by about as much as the clock. */
function followed(platform: PlatformUnderTest, aheadMs: number): Promise<unknown> {
  return eventually(
    'the watermarks to follow the wrong clock',
    async () => {
      const { points } = await platform.status();
      return points.every(({ watermarkMs = 0 }) => watermarkMs > Date.now() + aheadMs - 10_000);
    },
    WITHIN_MS,
  );
}

async function accepts(platform: PlatformUnderTest): Promise<void> {
  await eventually('points to be accepted', async () => (await fetch(`${platform.httpUrl}/readyz`)).ok, WITHIN_MS);
}

/** Returns by how much the clock had been ahead before each era, in whole hours. */
async function hoursAhead(platform: PlatformUnderTest): Promise<number[]> {
  const { eras } = await platform.status();
  return eras.map(({ aheadMs }) => Math.round(aheadMs / HOUR_MS));
}

describe('a clock that was ahead and is corrected', () => {
  test(
    'by an hour and then by two while the platform runs: it takes points again, and completeness is true again',
    async () => {
      const clock = join(await harness.folder(), 'ahead');
      await writeFile(clock, '0');
      const platform = await harness.platform({}, { clockAheadFile: clock });
      const sender = new Sender(await harness.client(platform.grpcAddress, { replyTimeoutMs: 1000 }));
      await sender.send();
      expect(await sender.stored(platform)).toBe(sender.sum);
      for (const [i, hours] of [1, 2].entries()) {
        await writeFile(clock, String(hours * HOUR_MS));
        await followed(platform, hours * HOUR_MS);
        // Points of right clocks are late, and stored.
        await sender.send();
        await writeFile(clock, '0');
        const isTakenBack = async () => (await hoursAhead(platform)).length > i;
        await eventually('the time to be taken back', isTakenBack, WITHIN_MS);
        await sender.send();
        await accepts(platform);
        expect(await sender.stored(platform)).toBe(sender.sum);
      }
      expect(await hoursAhead(platform)).toEqual([1, 2]);
      const { findings } = await askDoctor('--address', platform.grpcAddress);
      expect(findings).toContainEqual(expect.objectContaining({ kind: 'log-set-back', severity: 'note' }));
      expect(findings.filter(({ kind }) => kind === 'log-ahead')).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'by a day while the platform was down: the next start takes points, and answers claim nothing of the future',
    async () => {
      const folder = await harness.folder();
      const clock = join(await harness.folder(), 'ahead');
      await writeFile(clock, String(24 * HOUR_MS));
      const wrong = await harness.platform({ folder }, { clockAheadFile: clock });
      const sender = new Sender(await harness.client(wrong.grpcAddress, { replyTimeoutMs: 1000 }));
      await followed(wrong, 24 * HOUR_MS);
      await sender.send();
      await wrong.kill9();

      await writeFile(clock, '0');
      const { grpcPort } = wrong;
      const platform = await harness.platform({ folder, grpcPort }, { clockAheadFile: clock });
      await sender.send();
      expect(await sender.stored(platform)).toBe(sender.sum);
      expect(await hoursAhead(platform)).toEqual([24]);

      // What followed from the set back is durable.
      await platform.stop();
      const again = await harness.platform({ folder, grpcPort }, { clockAheadFile: clock });
      await sender.send();
      expect(await sender.stored(again)).toBe(sender.sum);
      expect(await hoursAhead(again)).toEqual([24]);
    },
    TEST_MS,
  );
});
