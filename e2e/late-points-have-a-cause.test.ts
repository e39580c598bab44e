import { afterAll, describe, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { askDoctor } from './process/ask-doctor.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear(), 60_000);

const LATENESS_MS = 3000;
const WITHIN_MS = 60_000;
const TEST_MS = 150_000;

/** Records each kind of value every 20 ms for some seconds. */
async function record(client: Client, seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    client.count('hits');
    client.gauge('depth', 3);
    client.distribution('latency', 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await client.flush();
}

async function latePoints(platform: PlatformUnderTest): Promise<number> {
  const { points } = await platform.status();
  return points.reduce((sum, one) => sum + one.latePoints, 0);
}

describe('with D of 3 s', () => {
  test(
    'a client without a flush interval makes no point late, and one of 4 s is named by the doctor',
    async () => {
      const platform = await harness.platform({ latenessMs: LATENESS_MS });
      const fitting = await harness.client(platform.grpcAddress, { name: 'fitting', flushIntervalMs: undefined });
      await record(fitting, 6);
      expect(fitting.stats()).toMatchObject({ flushIntervalMs: 1000, latenessMs: LATENESS_MS, warnings: [] });
      expect(fitting.stats().ackedPoints).toBeGreaterThan(12);
      expect(await latePoints(platform)).toBe(0);

      const reasons: string[] = [];
      const slow = await harness.client(platform.grpcAddress, {
        name: 'checkout',
        flushIntervalMs: 4000,
        onWarning: ({ reason }) => reasons.push(reason),
      });
      await record(slow, 9);
      expect(reasons).toEqual(['flush_interval_too_long']);
      const finding = await eventually(
        'the doctor to name the setting',
        async () => {
          const { findings } = await askDoctor('--address', platform.grpcAddress);
          const found = findings.find(({ kind, what }) => kind === 'late-points' && !what.includes('; 0 late points'));
          if (found === undefined) throw new Error(JSON.stringify(findings));
          return found;
        },
        WITHIN_MS,
      );
      expect(finding.what).toMatch(
        /^1 client flushes too rarely for D, 3\.0 s: checkout every 4\.0 s \(flushIntervalMs; \d+ late points?\)$/,
      );
      expect(finding.next).toContain('set flushIntervalMs to at most 2.0 s');
    },
    TEST_MS,
  );
});
