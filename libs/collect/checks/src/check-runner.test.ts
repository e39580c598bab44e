import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import type { Check, CheckSink } from './check.ts';
import { CheckRunner } from './check-runner.ts';

const NO_SINK: CheckSink = {
  gauge: () => undefined,
  count: () => undefined,
  counter: () => undefined,
  reading: () => undefined,
  end: () => undefined,
  describe: () => undefined,
};

describe('checks at flushes', () => {
  const ok = (name: string, runs: string[], everyMs?: number): Check => ({
    name,
    ...(everyMs === undefined ? {} : { everyMs }),
    run: async () => void runs.push(name),
  });

  test('a failing check backs off and a hanging check counts overruns; neither delays the others', async () => {
    const clock = new ManualClock();
    const runs: string[] = [];
    const failures: string[] = [];
    const failing: Check = {
      name: 'failing',
      run: async () => {
        runs.push('failing');
        throw new Error('no such device');
      },
    };
    const hanging: Check = { name: 'hanging', run: () => new Promise(() => undefined) };
    const checks = [failing, hanging, ok('steady', runs), ok('rare', runs, 3_000)];
    const sunk: string[] = [];
    const runner = new CheckRunner({
      clock,
      checks,
      sinkOf: ({ name }, wallMs) => {
        sunk.push(`${name} ${wallMs}`);
        return NO_SINK;
      },
      onFailure: (check) => failures.push(check),
    });
    for (let second = 0; second < 8; second++) {
      const round = runner.run(100);
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(100);
      await round;
      clock.advance(900);
    }
    const times = (name: string): number => runs.filter((run) => run === name).length;
    expect(times('steady')).toBe(8);
    expect(times('rare')).toBe(3);
    expect(sunk).toEqual(checks.map(({ name }) => `${name} undefined`));
    // Due at 0 s, then after waits of 1, 2 and 4 s.
    expect(times('failing')).toBe(4);
    expect(failures.length).toBe(4);
    const status = new Map(runner.status().map((check) => [check.name, check]));
    expect(status.get('failing')).toMatchObject({ failures: 4, error: 'no such device' });
    expect(status.get('hanging')).toMatchObject({ runs: 1, overruns: 7, running: true });
    expect(status.get('steady')).toMatchObject({ runs: 8, failures: 0, overruns: 0 });
  });
});

describe('checks with a phase', () => {
  test('a check with a phase keeps its interval while it fails, is stamped with its start, and ends with the runner', async () => {
    const clock = new ManualClock();
    const runs: string[] = [];
    let failing = true;
    let hold: Promise<void> | undefined;
    const closed: string[] = [];
    const check: Check = {
      name: 'remote',
      everyMs: 15_000,
      phaseMs: 4_000,
      run: async (sink, signal) => {
        sink.gauge('read', 1);
        await hold;
        if (failing || signal.aborted) throw new Error('not there');
      },
      detail: () => ({ samples: 1 }),
      close: async () => {
        closed.push('remote');
      },
    };
    const failures: unknown[] = [];
    const runner = new CheckRunner({
      clock,
      checks: [check],
      sinkOf: (of, wallMs = -1) => {
        expect(of).toBe(check);
        runs.push(`${wallMs / 1_000}`);
        return NO_SINK;
      },
      onFailure: (_, error) => failures.push(error),
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    runner.start();
    await pass(70);
    expect(runs).toEqual(['4', '19', '34', '49', '64']);
    expect(runner.status()[0]).toMatchObject({ runs: 5, failures: 5, error: 'not there', detail: { samples: 1 } });
    expect(runner.status()[0].failingSinceMs).toBe(4000);
    // The first, the second and the fourth failure in a row.
    expect(failures.length).toBe(3);
    failing = false;
    await pass(10);
    expect(runner.status()[0].error).toBeUndefined();
    expect(runner.status()[0].failingSinceMs).toBeUndefined();
    let release = (): void => undefined;
    hold = new Promise((resolve) => {
      release = resolve;
    });
    await pass(35);
    // At 109 s the run of 94 s is still in progress.
    expect(runs.slice(5)).toEqual(['79', '94', '109']);
    expect(runner.status()[0]).toMatchObject({ runs: 7, overruns: 1, running: true });
    const stopped = runner.stop();
    release();
    await stopped;
    expect(closed).toEqual(['remote']);
    await pass(40);
    expect(runner.status()[0]).toMatchObject({ runs: 7, failures: 5, running: false });
  });
});
