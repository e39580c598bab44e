import { describe, expect, test } from '@jest/globals';
import { AggregateReply } from '@tidemark/contract';
import { LeafFindings } from './leaf-findings.ts';
import { LogTime } from './log-time.ts';

/** What is found in replies of so many series with these usual intervals. */
function found(...replies: readonly (readonly [series: number, usualIntervalMs: number])[]): LeafFindings {
  const findings = new LeafFindings();
  for (const [seriesRead, usualIntervalMs] of replies) {
    const reply = AggregateReply.fromPartial({ seriesRead, usualIntervalMs, intervalMs: usualIntervalMs });
    findings.add(reply, new LogTime(undefined, 0));
  }
  return findings;
}

describe('the usual interval of a leaf', () => {
  test('is that of nine tenths of all series, however many replies have them', () => {
    expect(found([436, 10_000], [14, 600_000]).usualIntervalMs).toBe(10_000);
    expect(found([436, 10_000], [100, 600_000]).usualIntervalMs).toBe(600_000);
    expect(found([436, 10_000], [14, 600_000]).intervalMs).toBe(600_000);
  });

  test('is that of a single reply, and 0 when no reply knows one', () => {
    expect(found([1, 15_000]).usualIntervalMs).toBe(15_000);
    expect(found([50, 0], [1, 15_000]).usualIntervalMs).toBe(15_000);
    expect(found([50, 0], [0, 0]).usualIntervalMs).toBe(0);
  });
});
