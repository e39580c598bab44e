import type { Clock } from '@tidemark/ports';
import type { Check, HostFiles } from './check.ts';
import { LinuxCpuCheck, PortableCpuCheck } from './cpu.ts';
import { DiskCheck } from './disk.ts';
import { LinuxDiskIoCheck, PortableDiskIoCheck } from './disk-io.ts';
import { LoadCheck } from './load.ts';
import { MemoryCheck } from './memory.ts';
import { NetworkCheck } from './network.ts';
import { LinuxProcessesCheck, PortableProcessesCheck } from './processes.ts';
import { UptimeCheck } from './uptime.ts';

export interface HostCheckOptions {
  readonly clock: Clock;
  readonly files: HostFiles;
  /** As `process.platform`; `linux` reads `/proc`, all others ask systeminformation. */
  readonly platform: string;
  /** How often checks run that start processes, ms. Default 10,000. */
  readonly dearEveryMs?: number;
}

/**
 * The checks of this host (docs/agent.md lists their metrics). Where systeminformation starts processes for figures
 * that Linux has in `/proc`, they are read there: a `cat` a second costs more than all of these together.
 */
export function hostChecks(options: HostCheckOptions): Check[] {
  const { clock, files, platform, dearEveryMs = 10_000 } = options;
  const everywhere: Check[] = [new LoadCheck(), new MemoryCheck(), new UptimeCheck(), new DiskCheck(dearEveryMs)];
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
    new PortableDiskIoCheck(dearEveryMs),
    NetworkCheck.portable(clock, dearEveryMs),
    new PortableProcessesCheck(dearEveryMs),
  ];
}
