import { type Clock, type Log, sleep } from '@tidemark/ports';
import { type DatabasePlace, hasWholeLog, type Loss, lossText, retriedText } from './damaged-database.ts';
import type { SnapshotRequests } from './snapshot-requests.ts';
import { STORE_KINDS } from './store-kinds.ts';
import type { RestoredSnapshot } from './store-messages.ts';

/** Time between two attempts to replace a database. */
const RETRY_MS = 60_000;

/** What a lost database is replaced by. A snapshot is then in a folder next to it. */
export type Replacement = { readonly from: 'log' } | { readonly from: 'snapshot'; readonly snapshot: RestoredSnapshot };

interface Ports {
  readonly log: Pick<Log, 'bounds' | 'read'>;
  readonly clock: Clock;
  /** Undefined without an object store. */
  readonly snapshots: Pick<SnapshotRequests, 'restore'> | undefined;
  /** Aborted when the stores stop. */
  readonly stopping: AbortSignal;
  /** Whether a store still has that loss: an operator may have passed what is lost meanwhile. */
  readonly isLost: (place: DatabasePlace, loss: Loss) => boolean;
  /** Replaces a database. False where the log no longer continues the replacement, which is looked for again then. */
  readonly replace: (place: DatabasePlace, loss: Loss, by: Replacement) => Promise<boolean>;
  /** Called when nothing replaces a database now. */
  readonly report: (place: DatabasePlace, loss: Loss, message: string) => void;
  /** Called for an unexpected error. The store then stays as it is: an unhandled rejection would end the thread. */
  readonly onBug: (place: DatabasePlace, error: unknown) => void;
}

/**
 * Has databases replaced that are damaged, or end below the log: by an empty one where the log has every record, or else by a
 * snapshot. With an object store this is tried each minute until it succeeds: it may answer again, and replicas make snapshots.
 */
export class LostDatabases {
  readonly #ports: Ports;
  /** Replacements in progress. */
  readonly #replacing = new Map<string, Promise<void>>();
  /** When it is worth it to look for a replacement again, by the monotonic clock. */
  readonly #againMs = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  isReplacing(place: Pick<DatabasePlace, 'kind' | 'partition'>): boolean {
    return this.#replacing.has(nameOf(place));
  }

  /** Begins to replace a database, unless that is in progress, or was in vain in the last minute. */
  begin(place: DatabasePlace, loss: Loss): void {
    const { clock, onBug, stopping } = this.#ports;
    const name = nameOf(place);
    if (stopping.aborted || this.#replacing.has(name)) return;
    if (clock.monotonicMs() < (this.#againMs.get(name) ?? Number.NEGATIVE_INFINITY)) return;
    const replaced = this.#run(place, loss)
      .catch((error: unknown) => {
        if (!stopping.aborted) onBug(place, error);
      })
      .finally(() => this.#replacing.delete(name));
    this.#replacing.set(name, replaced);
  }

  /** Waits for the replacements in progress, which end when the stores stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#replacing.values());
  }

  async #run(place: DatabasePlace, loss: Loss): Promise<void> {
    const { clock, snapshots, stopping, isLost, replace, report } = this.#ports;
    let reported: string | undefined;
    while (!stopping.aborted && isLost(place, loss)) {
      const found = await this.#find(place, loss);
      if (stopping.aborted || !isLost(place, loss)) return;
      if (typeof found !== 'string') {
        if (await replace(place, loss, found)) return;
        continue;
      }
      if (found !== reported) report(place, loss, found);
      reported = found;
      if (snapshots === undefined) {
        this.#againMs.set(nameOf(place), clock.monotonicMs() + RETRY_MS);
        return;
      }
      await sleep(clock, RETRY_MS, stopping);
    }
  }

  /** What replaces a database, or what an operator reads of why nothing does. */
  async #find(place: DatabasePlace, loss: Loss): Promise<Replacement | string> {
    const { log, clock, snapshots, stopping } = this.#ports;
    if (await hasWholeLog(log, clock, place, stopping)) return { from: 'log' };
    const outcome = await snapshots?.restore(place, STORE_KINDS[place.kind].format);
    if (outcome === undefined) return lossText(place, loss, undefined);
    if (outcome.state === 'restored') return { from: 'snapshot', snapshot: outcome.snapshot };
    if (outcome.state === 'failed') return retriedText(place, loss, outcome.error.message);
    return lossText(place, loss, outcome);
  }
}

function nameOf({ kind, partition }: Pick<DatabasePlace, 'kind' | 'partition'>): string {
  return `${kind}/${partition}`;
}
