import { describe, expect, test } from '@jest/globals';
import { sleep } from '@tidemark/ports';
import { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';

describe('SimulatedClock', () => {
  test('advances only when every promise waits', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const chain = async () => {
      for (let i = 0; i < 1_000; i++) await Promise.resolve();
      seen.push(`chain ${clock.monotonicMs()}`);
      await sleep(clock, 5);
      for (let i = 0; i < 1_000; i++) await null;
      seen.push(`chain ${clock.monotonicMs()}`);
    };
    void chain();
    clock.setTimer(1, () => seen.push('one'));
    clock.setTimer(5.5, () => seen.push('late'));
    clock.setTimer(2, () => seen.push('never')).cancel();
    await clock.run(() => seen.length === 4, 100);
    expect(seen).toEqual(['chain 0', 'one', 'chain 5', 'late']);
    await clock.advance(10);
    expect(clock.monotonicMs()).toBe(15.5);
  });

  test('stops at the deadline, and when no timer is left', async () => {
    const clock = new SimulatedClock();
    await expect(clock.run(() => false, 100)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    clock.setTimer(500, () => undefined);
    await expect(clock.run(() => false, 100)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(clock.monotonicMs()).toBe(100);
    const again = () => void clock.setTimer(0, again);
    again();
    await expect(clock.run(() => false, 100)).rejects.toThrow('loop without delay');
  });

  test('fires timers of one time in the order of setting, or by seed', async () => {
    const order = async (shuffle?: SeededRandom) => {
      const clock = new SimulatedClock({ shuffle });
      const fired: number[] = [];
      for (let i = 0; i < 20; i++) clock.setTimer(3, () => fired.push(i));
      await clock.advance(3);
      return fired.join();
    };
    const inOrder = Array.from({ length: 20 }, (_, i) => i).join();
    expect(await order()).toBe(inOrder);
    const shuffled = await order(new SeededRandom(1));
    expect(shuffled).not.toBe(inOrder);
    expect(await order(new SeededRandom(1))).toBe(shuffled);
    expect(await order(new SeededRandom(2))).not.toBe(shuffled);
  });

  test('holds the time during real work', async () => {
    const clock = new SimulatedClock();
    let finished = -1;
    const work = new Promise<void>((resolve) => setTimeout(resolve, 20));
    void clock.hold(work).then(() => {
      finished = clock.monotonicMs();
    });
    clock.setTimer(1, () => undefined);
    await clock.advance(10);
    expect(finished).toBe(0);
  });

  test('gives a node skew, drift and jumps, while jumps leave its monotonic clock and timers unchanged', async () => {
    const clock = new SimulatedClock({ startWallMs: 1_000 });
    const node = clock.nodeClock({ skewMs: 50, drift: 0.1 });
    let firedAtMs = 0;
    node.setTimer(110, () => {
      firedAtMs = clock.monotonicMs();
    });
    node.jump(-500);
    await clock.advance(200);
    expect(firedAtMs).toBeCloseTo(100);
    expect(node.monotonicMs()).toBeCloseTo(220);
    expect(node.wallMs()).toBeCloseTo(1_000 + 50 - 500 + 220);
  });

  test('leaves a time of suspension out of the monotonic clock of a node, not of its wall clock', async () => {
    const clock = new SimulatedClock({ startWallMs: 1_000 });
    const node = clock.nodeClock();
    await clock.advance(300);
    node.suspended(200);
    expect([node.monotonicMs(), node.wallMs()]).toEqual([100, 1_300]);
    // A rest too short for the precision of time must not stop it.
    let fired = 0;
    node.setTimer(Number.MIN_VALUE, () => fired++);
    await clock.advance(1);
    expect([fired, node.monotonicMs()]).toEqual([1, 101]);
  });

  test.each([-0.01, 0.01])(
    'the monotonic clock of a node that drifts by %d does not go back in a suspension',
    async (drift) => {
      const clock = new SimulatedClock({ startWallMs: 1_000 });
      const node = clock.nodeClock({ drift });
      await clock.advance(100);
      const before = node.monotonicMs();
      await clock.advance(5_000);
      const wallMs = node.wallMs();
      node.suspended(5_000);
      expect(node.monotonicMs()).toBeCloseTo(before);
      expect(node.wallMs()).toBeCloseTo(wallMs);
    },
  );

  test('ends the timers of a process with the process', async () => {
    const clock = new SimulatedClock();
    const process = new Incarnation('a');
    const bound = clock.nodeClock().bind(process);
    let fired = 0;
    bound.setTimer(5, () => fired++);
    clock.setTimer(3, () => process.end());
    await clock.advance(10);
    bound.setTimer(1, () => fired++);
    await clock.advance(10);
    expect([fired, bound.monotonicMs()]).toEqual([0, 3]);
  });
});
