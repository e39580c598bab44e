import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import type { Clock, Timer } from '@tidemark/ports';
import type { Check, CheckSink, HostFiles } from './check.ts';
import { CheckRunner } from './check-runner.ts';
import { cpuShares, parseProcStat } from './cpu.ts';
import { LinuxDiskIoCheck, parseDiskStats } from './disk-io.ts';
import { hostChecks } from './host-checks.ts';
import { interfacesOfNote, NetworkCheck, parseProcNetDev } from './network.ts';
import { Rates } from './rates.ts';

/** Keeps the newest value of each metric and tags. */
class Readings implements CheckSink {
  readonly values = new Map<string, number>();

  gauge(metric: string, value: number, tags: readonly string[] = []): void {
    this.values.set([metric, ...tags.filter((tag) => tag.startsWith('device:'))].join(' '), value);
  }

  count(): void {
    throw new Error('no host check counts');
  }

  counter(): void {
    throw new Error('no host check sends totals');
  }

  of(metric: string): number[] {
    return [...this.values].filter(([key]) => key.split(' ')[0] === metric).map(([, value]) => value);
  }
}

/** A clock that stands until it is stepped. */
class HandClock implements Clock {
  nowMs = 0;
  readonly #timers: { atMs: number; task: () => void }[] = [];

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.atMs = Number.POSITIVE_INFINITY;
      },
    };
  }

  step(ms: number): void {
    this.nowMs += ms;
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.nowMs)) {
      timer.atMs = Number.POSITIVE_INFINITY;
      timer.task();
    }
  }
}

function filesOf(texts: Readonly<Record<string, string>>): HostFiles {
  return {
    readText: async (path) => texts[path] ?? Promise.reject(new Error(`no ${path}`)),
    list: async () => [],
  };
}

describe('parsers', () => {
  test('cpu shares fold nice into user and interrupts into system, and add up to 100', () => {
    const before = parseProcStat('cpu  100 10 50 1000 20 1 2 3 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nintr 5\n');
    const now = parseProcStat('cpu  140 20 60 1020 25 3 5 13 4 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n');
    expect(before.cpus).toBe(2);
    const shares = cpuShares(before, now);
    expect(shares).toEqual({ user: 50, system: 15, iowait: 5, idle: 20, stolen: 10, guest: 4, interrupt: 5 });
    expect(cpuShares(now, now)).toBeUndefined();
    expect(() => parseProcStat('garbage')).toThrow('/proc/stat');
  });

  test('diskstats: rates, waits and busy time between two samples; unused devices left out', async () => {
    const texts = {
      '/proc/diskstats': '254 0 vda 1000 0 8000 500 2000 0 16000 900 0 300 1400\n7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n',
    };
    expect(parseDiskStats(texts['/proc/diskstats']).map(({ device }) => device)).toEqual(['vda']);
    const clock = new HandClock();
    const check = new LinuxDiskIoCheck(filesOf(texts), clock);
    const readings = new Readings();
    await check.run(readings);
    expect(readings.values.size).toBe(0);
    clock.step(2_000);
    texts['/proc/diskstats'] = '254 0 vda 1010 0 8400 520 2030 0 17000 1020 0 1300 2400\n';
    await check.run(readings);
    expect(Object.fromEntries(readings.values)).toEqual({
      'system.io.r_s device:vda': 5,
      'system.io.w_s device:vda': 15,
      'system.io.rkb_s device:vda': 100,
      'system.io.wkb_s device:vda': 250,
      'system.io.util device:vda': 50,
      'system.io.avg_q_sz device:vda': 0.5,
      'system.io.r_await device:vda': 2,
      'system.io.w_await device:vda': 4,
      'system.io.await device:vda': 3.5,
    });
  });

  test('net/dev: bytes and packets a second; loopback only where it is alone', async () => {
    const head = 'Inter-|   Receive\n face |bytes    packets errs drop\n';
    const lo =
      '    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0\n';
    const texts = {
      '/proc/net/dev': `${head}${lo}  eth0: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n  ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    };
    expect(interfacesOfNote(parseProcNetDev(texts['/proc/net/dev'])).map(({ device }) => device)).toEqual(['eth0']);
    expect(interfacesOfNote(parseProcNetDev(head + lo)).map(({ device }) => device)).toEqual(['lo']);
    const clock = new HandClock();
    const check = NetworkCheck.linux(filesOf(texts), clock);
    const readings = new Readings();
    await check.run(readings);
    clock.step(500);
    texts['/proc/net/dev'] = `${head}${lo}  eth0:2000 20 0 1 0 0 0 0 500 5 0 0 0 0 0 0\n`;
    await check.run(readings);
    expect(readings.values.get('system.net.bytes_rcvd device:eth0')).toBe(2_000);
    expect(readings.values.get('system.net.packets_in.count device:eth0')).toBe(20);
    expect(readings.values.get('system.net.packets_in.drop device:eth0')).toBe(2);
    expect(readings.values.get('system.net.bytes_sent device:eth0')).toBe(0);
  });

  test('a counter that went back gives a gap, then rates again', () => {
    const rates = new Rates();
    const at = (nowMs: number, value: number): number | undefined => {
      rates.begin(nowMs);
      return rates.perSecond('x', value);
    };
    expect([at(0, 100), at(1_000, 150), at(2_000, 10), at(3_000, 30)]).toEqual([undefined, 50, undefined, 20]);
  });
});

describe('runner', () => {
  const ok = (name: string, runs: string[], everyMs?: number): Check => ({
    name,
    ...(everyMs === undefined ? {} : { everyMs }),
    run: async () => void runs.push(name),
  });

  test('a failing check backs off and a hanging one is counted; neither keeps the others from running', async () => {
    const clock = new HandClock();
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
    const runner = new CheckRunner({ clock, checks, sink: new Readings(), onFailure: (check) => failures.push(check) });
    for (let second = 0; second < 8; second++) {
      const round = runner.run(100);
      await new Promise((resolve) => setImmediate(resolve));
      clock.step(100);
      await round;
      clock.step(900);
    }
    const times = (name: string): number => runs.filter((run) => run === name).length;
    expect(times('steady')).toBe(8);
    expect(times('rare')).toBe(3);
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
  test('run at their own beat, failing or not, each stamped with its start, and end with the runner', async () => {
    const clock = new HandClock();
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
      sink: new Readings(),
      sinkAt: (wallMs) => {
        runs.push(`${wallMs / 1_000}`);
        return new Readings();
      },
      onFailure: (_, error) => failures.push(error),
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        clock.step(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    runner.start();
    await pass(70);
    expect(runs).toEqual(['4', '19', '34', '49', '64']);
    expect(runner.status()[0]).toMatchObject({ runs: 5, failures: 5, error: 'not there', detail: { samples: 1 } });
    // The first, the second and the fourth in a row.
    expect(failures.length).toBe(3);
    failing = false;
    await pass(10);
    expect(runner.status()[0].error).toBeUndefined();
    let release = (): void => undefined;
    hold = new Promise((resolve) => {
      release = resolve;
    });
    await pass(35);
    // At 109 s the run of 94 s is under way still.
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

test('this host: every family, in sane ranges', async () => {
  const clock: Clock = {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
  const files: HostFiles = { readText: (path) => readFile(path, 'utf8'), list: (path) => readdir(path) };
  const readings = new Readings();
  const failures: unknown[] = [];
  const runner = new CheckRunner({
    clock,
    checks: hostChecks({ clock, files, platform: process.platform, dearEveryMs: 0 }),
    sink: readings,
    onFailure: (check, error) => failures.push(check, error),
  });
  const deadlineMs = performance.now() + 10_000;
  do {
    await runner.run(5_000);
    // Ticks of the CPU's counters must pass between two readings.
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (readings.of('system.cpu.idle').length === 0 && performance.now() < deadlineMs);
  expect(failures).toEqual([]);
  const one = (metric: string): number => {
    expect(readings.of(metric).length).toBeGreaterThan(0);
    return readings.of(metric)[0];
  };
  expect(one('system.cpu.num_cores')).toBeGreaterThanOrEqual(1);
  const states = ['user', 'system', 'idle'].map((state) => one(`system.cpu.${state}`));
  for (const percent of states) expect(percent).toBeGreaterThanOrEqual(0);
  expect(states.reduce((sum, percent) => sum + percent, 0)).toBeLessThanOrEqual(100.001);
  expect(one('system.load.1')).toBeGreaterThanOrEqual(0);
  const total = one('system.mem.total');
  expect(total).toBeGreaterThan(64);
  expect(one('system.mem.usable')).toBeLessThanOrEqual(total);
  expect(one('system.mem.used') + one('system.mem.free')).toBeCloseTo(total, 3);
  expect(one('system.swap.total')).toBeGreaterThanOrEqual(0);
  expect(one('system.uptime')).toBeGreaterThan(0);
  expect(one('system.disk.total')).toBeGreaterThan(1_024);
  expect(one('system.disk.in_use')).toBeLessThanOrEqual(1);
  expect(one('system.processes.number')).toBeGreaterThanOrEqual(1);
  for (const rate of readings.of('system.net.bytes_rcvd')) expect(rate).toBeGreaterThanOrEqual(0);
});
