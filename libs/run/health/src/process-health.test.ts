import { describe, expect, test } from '@jest/globals';
import type { HealthReply } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { ManualClock } from '@tidemark/simulation';
import type { ProblemCause } from './problem.ts';
import { ProcessHealth } from './process-health.ts';

const MIB = 1024 * 1024;

function healthOf(clock = new ManualClock(1_000_000.7)) {
  const changes: string[] = [];
  const health = new ProcessHealth({
    process: 'intake 1',
    clock,
    notReady: () => undefined,
    onChange: (kind, part, cause) => changes.push(`${kind} ${part}: ${cause?.message ?? 'ended'}`),
  });
  return { clock, health, changes };
}

/** Returns the problems of a reply, one line each. */
function problemsOf({ problems }: HealthReply): string[] {
  return problems.map(({ kind, part, code, reason, sinceMs }) => `${sinceMs} ${kind} ${part} ${code} ${reason}`);
}

const FULL = { code: 'resource_exhausted', message: 'the log is full' } as const;

describe('the health of a process', () => {
  test('a problem keeps the time of its first report, and later reports change its cause', () => {
    const { clock, health, changes } = healthOf();
    health.report('store', 'points/3', { code: 'unavailable', message: 'first' });
    clock.nowMs += 500;
    health.report('store', 'points/3', FULL);
    expect(problemsOf(health.reply)).toEqual(['1000000 store points/3 resource_exhausted the log is full']);
    health.report('store', 'points/3', undefined);
    health.report('store', 'points/3', undefined);
    expect(problemsOf(health.reply)).toEqual([]);
    expect(changes).toEqual(['store points/3: first', 'store points/3: ended']);
  });

  test('a problem that a check found ends when the check no longer finds it', () => {
    const { clock, health } = healthOf();
    const lanes = new Map<string, ProblemCause>([['points/0', FULL]]);
    let clockProblem: ProblemCause | undefined;
    health.watchParts('lane', () => lanes);
    health.watch('clock', () => clockProblem);
    health.check();
    clock.nowMs += 1000;
    lanes.set('points/1', FULL);
    clockProblem = { code: 'failed_precondition', message: 'the clock is off' };
    health.check();
    expect(problemsOf(health.reply)).toEqual([
      '1000000 lane points/0 resource_exhausted the log is full',
      '1001000 lane points/1 resource_exhausted the log is full',
      '1001000 clock  failed_precondition the clock is off',
    ]);
    lanes.delete('points/0');
    clockProblem = undefined;
    health.check();
    expect(problemsOf(health.reply)).toEqual(['1001000 lane points/1 resource_exhausted the log is full']);
  });

  test('a volume that is nearly full, that fails or that does not answer is a problem', async () => {
    const { clock, health } = healthOf();
    let space: () => Promise<{ freeBytes: number; totalBytes: number }> = async () => {
      return { freeBytes: 900 * MIB, totalBytes: 100_000 * MIB };
    };
    health.watchVolume('/data', { space: () => space() });
    const check = async () => {
      health.check();
      await Promise.resolve();
      await Promise.resolve();
      return problemsOf(health.reply);
    };
    expect(await check()).toEqual([]);
    expect(health.reply.volumes).toEqual([{ folder: '/data', freeBytes: 900 * MIB, totalBytes: 100_000 * MIB }]);
    space = async () => ({ freeBytes: 3.5 * MIB, totalBytes: 1000 * MIB });
    expect(await check()).toEqual(['1000000 disk /data resource_exhausted 3 MiB of 1000 MiB are free for /data']);
    // A small volume is not full because it is small.
    space = async () => ({ freeBytes: 50 * MIB, totalBytes: 1000 * MIB });
    expect(await check()).toEqual([]);
    space = () => Promise.reject(new TidemarkError('unavailable', 'an I/O error'));
    expect(await check()).toEqual(['1000000 disk /data unavailable an I/O error']);
    space = () => new Promise(() => undefined);
    await check();
    clock.nowMs += 12_000;
    expect(await check()).toEqual(['1000000 disk /data deadline_exceeded no free-space reading for /data for 12 s']);
  });

  test('the reply has at most 1000 problems, each with at most 500 characters', () => {
    const { health } = healthOf();
    for (let i = 0; i < 1500; i++) {
      health.report('store', `points/${i}`, { code: 'unavailable', message: 'x'.repeat(10_000) });
    }
    const { problems } = health.reply;
    expect(problems).toHaveLength(1000);
    expect(problems[0].reason).toHaveLength(500);
  });
});
