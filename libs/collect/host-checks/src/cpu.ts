import type { Check, CheckSink } from '@tidemark/checks';
import { currentLoad } from 'systeminformation';
import type { HostFiles } from './host-files.ts';

/** Ticks of all CPUs by state, as in the first line of `/proc/stat`. */
export interface CpuTimes {
  readonly user: number;
  readonly nice: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
  readonly irq: number;
  readonly softirq: number;
  readonly steal: number;
  readonly guest: number;
  readonly cpus: number;
}

/** Parses the text of `/proc/stat`. Throws when it has no line for all CPUs. */
export function parseProcStat(text: string): CpuTimes {
  const lines = text.split('\n');
  const total = lines.find((line) => line.startsWith('cpu '));
  if (total === undefined) throw new Error('/proc/stat has no line for all CPUs');
  const [user, nice, system, idle, iowait = 0, irq = 0, softirq = 0, steal = 0, guest = 0] = total
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const cpus = lines.filter((line) => /^cpu\d/.test(line)).length;
  return { user, nice, system, idle, iowait, irq, softirq, steal, guest, cpus };
}

/**
 * `system.cpu.*`, percent of all CPUs together, with states combined as by Datadog's agent: `user` includes nice and
 * guest time, `system` includes interrupts. Guest time and interrupts also have metrics of their own.
 */
export class LinuxCpuCheck implements Check {
  readonly name = 'cpu';
  readonly #files: HostFiles;
  #before: CpuTimes | undefined;

  constructor(files: HostFiles) {
    this.#files = files;
  }

  async run(sink: CheckSink): Promise<void> {
    const now = parseProcStat(await this.#files.readText('/proc/stat'));
    const before = this.#before;
    this.#before = now;
    sink.gauge('system.cpu.num_cores', now.cpus);
    if (before === undefined) return;
    const share = cpuShares(before, now);
    if (share === undefined) return;
    for (const [state, percent] of Object.entries(share)) sink.gauge(`system.cpu.${state}`, percent);
  }
}

/** Returns the percentage of each state between two readings; undefined when no tick has passed. */
export function cpuShares(before: CpuTimes, now: CpuTimes): Record<string, number> | undefined {
  // Ticks fall when a CPU goes offline, and iowait may fall slightly; no state may be below zero.
  const grown = (state: keyof CpuTimes): number => Math.max(0, now[state] - before[state]);
  const user = grown('user') + grown('nice');
  const interrupt = grown('irq') + grown('softirq');
  const system = grown('system') + interrupt;
  const total = user + system + grown('idle') + grown('iowait') + grown('steal');
  if (total <= 0) return undefined;
  const percent = (ticks: number): number => (100 * ticks) / total;
  return {
    user: percent(user),
    system: percent(system),
    iowait: percent(grown('iowait')),
    idle: percent(grown('idle')),
    stolen: percent(grown('steal')),
    guest: percent(grown('guest')),
    interrupt: percent(interrupt),
  };
}

/** `system.cpu.*` on hosts without `/proc`, which do not report iowait, stolen and guest. */
export class PortableCpuCheck implements Check {
  readonly name = 'cpu';
  #seen = false;

  async run(sink: CheckSink): Promise<void> {
    const load = await currentLoad();
    sink.gauge('system.cpu.num_cores', load.cpus.length);
    // The first reading covers the time since boot.
    const seen = this.#seen;
    this.#seen = true;
    if (!seen) return;
    sink.gauge('system.cpu.user', load.currentLoadUser + load.currentLoadNice);
    sink.gauge('system.cpu.system', load.currentLoadSystem + load.currentLoadIrq);
    sink.gauge('system.cpu.idle', load.currentLoadIdle);
    sink.gauge('system.cpu.interrupt', load.currentLoadIrq);
  }
}
