import type { ClientStats } from '@tidemark/client';
import type { Cluster } from './cluster.ts';
import type { AppliedPoint } from './plain-consumer.ts';
import { Violation } from './violation.ts';

/** What the processes of one client have counted, together. */
interface Counted {
  /** Points that are in no log, as the client says. */
  gone: number;
  /** Points that may be in the log. */
  indeterminate: number;
  /** Points that only the memory of a process had when it ended. */
  inMemory: number;
}

/** Compares what each client counted as lost with what the log lacks of what its program recorded. */
export class CountCheck {
  readonly #cluster: Cluster;
  /** Points that clients gave up, and know to be in no log. */
  gone = 0;
  indeterminate = 0;
  /** Points that the log lacks. */
  missing = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Points of `lost` were in records that the log has lost: no client counts them. */
  check(applied: readonly AppliedPoint[], lost: ReadonlySet<number>): void {
    const { clients, clientRuns, ledger } = this.#cluster;
    const found = new Set(applied.map(({ value }) => value));
    for (const { name, host } of clients) {
      const runs = clientRuns.filter((run) => run.name === name);
      const counted = { gone: 0, indeterminate: 0, inMemory: 0 };
      for (const { client } of runs) add(counted, this.#cluster.statsOf(client), client === host?.client);
      const own = [...ledger.recorded.values()].filter(({ series }) => series.tags.includes(`client:${name}`));
      const missing = own.filter(({ value }) => !found.has(value) && !lost.has(value)).length;
      this.gone += counted.gone;
      this.indeterminate += counted.indeterminate;
      this.missing += missing;
      const { gone, indeterminate, inMemory } = counted;
      if (gone <= missing && missing <= gone + indeterminate + inMemory) continue;
      throw new Violation(
        'counts-are-true',
        `${name}: the log lacks ${missing} of ${own.length} points, its ${runs.length} processes counted ${gone} as lost, ` +
          `${indeterminate} as indeterminate, and ended with ${inMemory} in memory alone`,
      );
    }
  }
}

/** Adds the counts of one process. Its wrong values are in no ledger: a sample is lost when its series has no place. */
function add(counted: Counted, stats: ClientStats, isRunning: boolean): void {
  const wrong = stats.reasons.value_nan ?? 0;
  counted.gone += stats.rejectedSamples - wrong + stats.rejectedPoints + stats.refusedPoints + stats.droppedPoints;
  counted.indeterminate += stats.indeterminatePoints;
  if (!isRunning) counted.inMemory += stats.gatheredPoints + stats.pendingPoints - stats.spooledPoints;
}
