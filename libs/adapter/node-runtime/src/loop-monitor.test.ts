import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { LoopMonitor } from './loop-monitor.ts';
import { SystemClock } from './system-clock.ts';

/** Probes until the thread has started, in whole windows. */
const START_PROBES = 1000;

/** A monitor on a clock that is advanced by the time between two of its probes, or by more. */
function monitored(startProbes = START_PROBES) {
  const clock = new ManualClock(1_000_000);
  const loop = new LoopMonitor(clock);
  loop.start();
  const probe = (times: number, lateMs = 0): void => {
    for (let i = 0; i < times; i++) clock.advance(20 + lateMs);
  };
  probe(startProbes);
  return { clock, loop, probe };
}

describe('the delay of a thread', () => {
  test('is nothing while its timers fire in time', () => {
    const { loop, probe } = monitored();
    probe(2000);
    expect(loop.delay).toMatchObject({ windowMaxMs: 0, windowP99Ms: 0, maxMs: 0, p99Ms: 0, maxAtMs: 0 });
    expect(loop.delay.lateAtMs).toBeUndefined();
  });

  test('is kept with its time since the start, and for the last whole window', () => {
    const { clock, loop, probe } = monitored();
    probe(100);
    probe(1, 140);
    const lateAtMs = clock.wallMs();
    probe(1, 130);
    probe(10, 60);
    expect(loop.delay).toMatchObject({ maxMs: 140, maxAtMs: lateAtMs, lateMs: 140, lateAtMs, windowMaxMs: 0 });
    probe(500);
    expect(loop.delay.windowMaxMs).toBeCloseTo(140, -1);
    expect(loop.delay.windowP99Ms).toBeCloseTo(60, -1);
    probe(1000);
    expect(loop.delay).toMatchObject({ windowMaxMs: 0, windowP99Ms: 0, maxMs: 140, maxAtMs: lateAtMs, lateMs: 140 });
  });

  test('is named while it is the longest one of the last 5 minutes', () => {
    const { clock, loop, probe } = monitored();
    const pass = (ms: number): void => probe(ms / 20);
    const late = (ms: number) => {
      probe(1, ms);
      return { lateMs: ms, lateAtMs: clock.wallMs() };
    };
    const longest = late(300);
    pass(100_000);
    late(120);
    const second = late(200);
    const third = late(150);
    const shown = () => loop.delay;
    expect(shown()).toMatchObject(longest);
    pass(200_000);
    expect(shown()).toMatchObject(second);
    expect(late(110).lateMs).toBe(110);
    expect(shown()).toMatchObject(second);
    pass(99_800);
    expect(shown()).toMatchObject(third);
    expect(late(160)).toEqual({ lateMs: shown().lateMs, lateAtMs: shown().lateAtMs });
    pass(301_000);
    expect(shown()).toMatchObject({ maxMs: 300, lateMs: undefined, lateAtMs: undefined });
  });

  test('of a start is kept, and named only when it would be a fault', () => {
    const { loop, probe } = monitored(0);
    probe(1, 900);
    expect(loop.delay).toMatchObject({ maxMs: 900, lateMs: undefined });
    probe(1, 1100);
    expect(loop.delay).toMatchObject({ maxMs: 1100, lateMs: 1100 });
  });

  test('ends with the stop', () => {
    const { loop, probe } = monitored();
    loop.stop();
    probe(1, 500);
    expect(loop.delay.maxMs).toBe(0);
  });

  test('is that of work that does not end', async () => {
    const clock = new SystemClock();
    const loop = new LoopMonitor(clock);
    loop.start();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const untilMs = performance.now() + 160;
    while (performance.now() < untilMs);
    await new Promise((resolve) => setTimeout(resolve, 30));
    loop.stop();
    expect(loop.delay.maxMs).toBeGreaterThan(100);
    expect(Date.now() - loop.delay.maxAtMs).toBeLessThan(60_000);
  });
});
