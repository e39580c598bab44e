import type { Check, CheckSink } from '@tidemark/checks';
import { mem } from 'systeminformation';

const MIB = 1_024 * 1_024;

/** `system.mem.*` and `system.swap.*` in MiB, and the usable and free fractions (0-1). */
export class MemoryCheck implements Check {
  readonly name = 'memory';

  async run(sink: CheckSink): Promise<void> {
    const memory = await mem();
    sink.gauge('system.mem.total', memory.total / MIB);
    sink.gauge('system.mem.free', memory.free / MIB);
    sink.gauge('system.mem.used', (memory.total - memory.free) / MIB);
    sink.gauge('system.mem.usable', memory.available / MIB);
    if (memory.total > 0) sink.gauge('system.mem.pct_usable', memory.available / memory.total);
    sink.gauge('system.mem.buffered', memory.buffers / MIB);
    sink.gauge('system.mem.cached', memory.cached / MIB);
    sink.gauge('system.mem.slab', memory.slab / MIB);
    sink.gauge('system.swap.total', memory.swaptotal / MIB);
    sink.gauge('system.swap.used', memory.swapused / MIB);
    sink.gauge('system.swap.free', memory.swapfree / MIB);
    if (memory.swaptotal > 0) sink.gauge('system.swap.pct_free', memory.swapfree / memory.swaptotal);
  }
}
