import { cpus, loadavg } from 'node:os';
import type { Check, CheckSink } from '@tidemark/checks';

/** `system.load.1/5/15`: runnable and blocked tasks. `system.load.norm.*`: the same figures per CPU. */
export class LoadCheck implements Check {
  readonly name = 'load';
  readonly #cpus = Math.max(1, cpus().length);

  async run(sink: CheckSink): Promise<void> {
    const averages = loadavg();
    for (const [i, minutes] of [1, 5, 15].entries()) {
      sink.gauge(`system.load.${minutes}`, averages[i]);
      sink.gauge(`system.load.norm.${minutes}`, averages[i] / this.#cpus);
    }
  }
}
