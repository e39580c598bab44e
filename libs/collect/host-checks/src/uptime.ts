import { uptime } from 'node:os';
import type { Check, CheckSink } from '@tidemark/checks';

/** `system.uptime`: seconds since the host started. */
export class UptimeCheck implements Check {
  readonly name = 'uptime';

  async run(sink: CheckSink): Promise<void> {
    sink.gauge('system.uptime', uptime());
  }
}
