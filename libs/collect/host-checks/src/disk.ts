import type { Check, CheckSink } from '@tidemark/checks';
import { fsSize } from 'systeminformation';

const KIB = 1_024;

/**
 * `system.disk.*` of each mounted device: KiB, as in Datadog, and the fraction in use (0-1) of the space that users may
 * fill, without the superuser's reserve. It runs `df`, which is too expensive for every second.
 */
export class DiskCheck implements Check {
  readonly name = 'disk';
  readonly everyMs: number;

  constructor(everyMs: number) {
    this.everyMs = everyMs;
  }

  async run(sink: CheckSink): Promise<void> {
    const seen = new Set<string>();
    for (const disk of await fsSize()) {
      // A device that is mounted several times has the same figures each time.
      if (seen.has(disk.fs) || !(disk.size > 0)) continue;
      seen.add(disk.fs);
      const tags = [`device:${disk.fs}`, `device_name:${disk.fs.slice(disk.fs.lastIndexOf('/') + 1)}`];
      sink.gauge('system.disk.total', disk.size / KIB, tags);
      sink.gauge('system.disk.used', disk.used / KIB, tags);
      sink.gauge('system.disk.free', disk.available / KIB, tags);
      const usable = disk.used + disk.available;
      if (usable > 0) sink.gauge('system.disk.in_use', disk.used / usable, tags);
    }
  }
}
