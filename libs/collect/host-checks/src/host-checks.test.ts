import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { CheckRunner, type CheckSink } from '@tidemark/checks';
import type { Clock } from '@tidemark/ports';
import { ManualClock } from '@tidemark/simulation';
import { cpuShares, parseProcStat } from './cpu.ts';
import { LinuxDiskIoCheck, parseDiskStats } from './disk-io.ts';
import { hostChecks } from './host-checks.ts';
import type { HostFiles } from './host-files.ts';
import { NetworkCheck, parseProcNetDev, reportedInterfaces } from './network.ts';

/** Keeps the last value of each metric and device. */
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

  readonly units = new Map<string, string | undefined>();

  describe(metric: string, { unit }: { readonly unit?: string }): void {
    expect(this.units.has(metric)).toBe(false);
    this.units.set(metric, unit);
  }

  reading(): void {
    throw new Error('no host check sends totals');
  }

  end(): void {
    throw new Error('no host check ends a series');
  }

  of(metric: string): number[] {
    return [...this.values].filter(([key]) => key.split(' ')[0] === metric).map(([, value]) => value);
  }
}

function filesOf(texts: Readonly<Record<string, string>>): HostFiles {
  return {
    readText: async (path) => texts[path] ?? Promise.reject(new Error(`no ${path}`)),
    list: async () => [],
  };
}

describe('parsers', () => {
  test('cpu shares count nice as user and interrupts as system, and sum to 100', () => {
    const before = parseProcStat('cpu  100 10 50 1000 20 1 2 3 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nintr 5\n');
    const now = parseProcStat('cpu  140 20 60 1020 25 3 5 13 4 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n');
    expect(before.cpus).toBe(2);
    const shares = cpuShares(before, now);
    expect(shares).toEqual({ user: 50, system: 15, iowait: 5, idle: 20, stolen: 10, guest: 4, interrupt: 5 });
    expect(cpuShares(now, now)).toBeUndefined();
    expect(() => parseProcStat('garbage')).toThrow('/proc/stat');
  });

  test('diskstats give rates, waits and busy time between two samples, without unused devices', async () => {
    const texts = {
      '/proc/diskstats': '254 0 vda 1000 0 8000 500 2000 0 16000 900 0 300 1400\n7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n',
    };
    expect(parseDiskStats(texts['/proc/diskstats']).map(({ device }) => device)).toEqual(['vda']);
    const clock = new ManualClock();
    const check = new LinuxDiskIoCheck(filesOf(texts), clock);
    const readings = new Readings();
    await check.run(readings);
    expect(readings.values.size).toBe(0);
    clock.advance(2_000);
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

  test('net/dev gives bytes and packets per second, of loopback only when it is the only interface', async () => {
    const head = 'Inter-|   Receive\n face |bytes    packets errs drop\n';
    const lo =
      '    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0\n';
    const texts = {
      '/proc/net/dev': `${head}${lo}  eth0: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n  ifb0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    };
    expect(reportedInterfaces(parseProcNetDev(texts['/proc/net/dev'])).map(({ device }) => device)).toEqual(['eth0']);
    expect(reportedInterfaces(parseProcNetDev(head + lo)).map(({ device }) => device)).toEqual(['lo']);
    const clock = new ManualClock();
    const check = NetworkCheck.linux(filesOf(texts), clock);
    const readings = new Readings();
    await check.run(readings);
    clock.advance(500);
    texts['/proc/net/dev'] = `${head}${lo}  eth0:2000 20 0 1 0 0 0 0 500 5 0 0 0 0 0 0\n`;
    await check.run(readings);
    expect(readings.values.get('system.net.bytes_rcvd device:eth0')).toBe(2_000);
    expect(readings.values.get('system.net.packets_in.count device:eth0')).toBe(20);
    expect(readings.values.get('system.net.packets_in.drop device:eth0')).toBe(2);
    expect(readings.values.get('system.net.bytes_sent device:eth0')).toBe(0);
  });
});

test('the checks of this host report every metric family in a plausible range', async () => {
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
    checks: hostChecks({ clock, files, platform: process.platform, expensiveIntervalMs: 0 }),
    sinkOf: () => readings,
    onFailure: (check, error) => failures.push(check, error),
  });
  const deadlineMs = performance.now() + 30_000;
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
  const withoutUnit = /^system\.(load|processes|cpu\.num_cores|.*pct_|disk\.in_use|io\.avg_q_sz)/;
  const measured = new Set([...readings.values.keys()].map((key) => key.split(' ')[0]));
  expect([...measured].filter((metric) => !readings.units.has(metric) && !withoutUnit.test(metric))).toEqual([]);
  expect(readings.units.get('system.mem.used')).toBe('MiB');
});
