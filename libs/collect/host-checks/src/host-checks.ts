import type { Check } from '@tidemark/checks';
import type { Clock } from '@tidemark/ports';
import { LinuxCpuCheck, PortableCpuCheck } from './cpu.ts';
import { DiskCheck } from './disk.ts';
import { LinuxDiskIoCheck, PortableDiskIoCheck } from './disk-io.ts';
import type { HostFiles } from './host-files.ts';
import { withUnits } from './host-units.ts';
import { LoadCheck } from './load.ts';
import { MemoryCheck } from './memory.ts';
import { NetworkCheck } from './network.ts';
import { LinuxProcessesCheck, PortableProcessesCheck } from './processes.ts';
import { UptimeCheck } from './uptime.ts';

export interface HostCheckOptions {
  readonly clock: Clock;
  readonly files: HostFiles;
  /** The value of `process.platform`. `linux` reads `/proc`, all others use systeminformation. */
  readonly platform: string;
  /** Interval of the checks that start processes, ms. Default 10,000. */
  readonly expensiveIntervalMs?: number;
}

/**
 * Returns the checks of this host (docs/agent.md lists their metrics). Figures for which systeminformation would start
 * a process are read from `/proc` on Linux: one `cat` per second costs more than all of these checks together.
 */
export function hostChecks(options: HostCheckOptions): Check[] {
  return checksOf(options).map(withUnits);
}

function checksOf(options: HostCheckOptions): Check[] {
  const { clock, files, platform, expensiveIntervalMs = 10_000 } = options;
  const everywhere: Check[] = [
    new LoadCheck(),
    new MemoryCheck(),
    new UptimeCheck(),
    new DiskCheck(expensiveIntervalMs),
  ];
  if (platform === 'linux') {
    return [
      new LinuxCpuCheck(files),
      ...everywhere,
      new LinuxDiskIoCheck(files, clock),
      NetworkCheck.linux(files, clock),
      new LinuxProcessesCheck(files),
    ];
  }
  return [
    new PortableCpuCheck(),
    ...everywhere,
    new PortableDiskIoCheck(expensiveIntervalMs),
    NetworkCheck.portable(clock, expensiveIntervalMs),
    new PortableProcessesCheck(expensiveIntervalMs),
  ];
}
