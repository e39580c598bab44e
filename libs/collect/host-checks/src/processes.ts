import type { Check, CheckSink } from '@tidemark/checks';
import { processes } from 'systeminformation';
import type { HostFiles } from './host-files.ts';

/** `system.processes.number`: the number of processes, counted as the numbered folders of `/proc`. */
export class LinuxProcessesCheck implements Check {
  readonly name = 'processes';
  readonly #files: HostFiles;

  constructor(files: HostFiles) {
    this.#files = files;
  }

  async run(sink: CheckSink): Promise<void> {
    const names = await this.#files.list('/proc');
    sink.gauge('system.processes.number', names.filter((name) => /^\d+$/.test(name)).length);
  }
}

/** `system.processes.number` on hosts without `/proc`. It runs `ps`, so it runs less often. */
export class PortableProcessesCheck implements Check {
  readonly name = 'processes';
  readonly everyMs: number;

  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  async run(sink: CheckSink): Promise<void> {
    sink.gauge('system.processes.number', (await processes()).all);
  }
}
