import { type Clock, type Log, sleep } from '@tidemark/ports';
import {
  type DatabaseId,
  type DatabasePlace,
  databaseName,
  type Loss,
  logState,
  lossText,
  retriedText,
  silentText,
} from './damaged-database.ts';
import type { SnapshotRequests } from './snapshot-requests.ts';
import { STORE_KINDS } from './store-kinds.ts';
import type { RestoredSnapshot } from './store-messages.ts';

/** Time between two attempts to replace a database. */
const RETRY_MS = 60_000;

/** What a lost database is replaced by. A snapshot is then in a folder next to it. */
export type Replacement = { readonly from: 'log' } | { readonly from: 'snapshot'; readonly snapshot: RestoredSnapshot };

/** Why nothing replaces a lost database. */
export interface Unreplaced {
  readonly message: string;
  /** Whether that may change without an operator who gives up data. */
  readonly isTemporary: boolean;
}

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
  /** Called when nothing replaces a database now, and what is known of it has changed. */
  readonly report: (place: DatabasePlace, loss: Loss, found: Unreplaced) => void;
  /** Called for an unexpected error. The store then stays as it is: an unhandled rejection would end the thread. */
  readonly onBug: (place: DatabasePlace, error: unknown) => void;
}

/**
 * Has databases replaced that are damaged, or end below the log: by an empty one where the log has every record, or else by a
 * snapshot. This is tried each minute while it may succeed: the log or the object store may answer again, and replicas make
 * snapshots.
 */
export class LostDatabases {
  readonly #ports: Ports;
  /** Losses that are dealt with. */
  readonly #running = new Map<string, Promise<void>>();
  /** Those of them that may have a replacement soon. */
  readonly #replacing = new Set<string>();
  /** What the last attempt of each found. */
  readonly #found = new Map<string, Unreplaced>();
  /** When it is worth it to look for a replacement again, by the monotonic clock. */
  readonly #againMs = new Map<string, number>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** True while a replacement is put in place, or may be found when something answers again: then the log must stay as it is. */
  isReplacing(place: DatabaseId): boolean {
    return this.#replacing.has(databaseName(place));
  }

  /** Why the last attempt of a loss that is dealt with replaced nothing; undefined during the first one. */
  unreplaced(place: DatabaseId): Unreplaced | undefined {
    return this.#found.get(databaseName(place));
  }

  /** Begins to replace a database, unless that is in progress, or was in vain in the last minute. */
  begin(place: DatabasePlace, loss: Loss): void {
    const { clock, onBug, stopping } = this.#ports;
    const name = databaseName(place);
    if (stopping.aborted || this.#running.has(name)) return;
    if (clock.monotonicMs() < (this.#againMs.get(name) ?? Number.NEGATIVE_INFINITY)) return;
    const replaced = this.#run(place, loss)
      .catch((error: unknown) => {
        if (!stopping.aborted) onBug(place, error);
      })
      .finally(() => {
        this.#running.delete(name);
        this.#replacing.delete(name);
        this.#found.delete(name);
      });
    this.#running.set(name, replaced);
  }

  /** Waits for the replacements in progress, which end when the stores stop. */
  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(place: DatabasePlace, loss: Loss): Promise<void> {
    const { clock, snapshots, stopping, isLost, replace, report } = this.#ports;
    const name = databaseName(place);
    let reported: string | undefined;
    while (!stopping.aborted && isLost(place, loss)) {
      this.#replacing.add(name);
      const found = await this.#find(place, loss);
      if (stopping.aborted || !isLost(place, loss)) return;
      if ('from' in found) {
        if (await replace(place, loss, found)) return;
        reported = undefined;
        this.#found.delete(name);
        continue;
      }
      this.#found.set(name, found);
      if (!found.isTemporary) this.#replacing.delete(name);
      if (found.message !== reported) report(place, loss, found);
      reported = found.message;
      if (snapshots === undefined && !found.isTemporary) {
        this.#againMs.set(name, clock.monotonicMs() + RETRY_MS);
        return;
      }
      await sleep(clock, RETRY_MS, stopping);
    }
  }

  async #find(place: DatabasePlace, loss: Loss): Promise<Replacement | Unreplaced> {
    const { log, clock, snapshots, stopping } = this.#ports;
    const state = await logState(log, clock, place, { stopping });
    if (state === 'whole') return { from: 'log' };
    if (state === 'silent') return { message: silentText(place, loss), isTemporary: true };
    const outcome = await snapshots?.restore(place, STORE_KINDS[place.kind].format);
    if (outcome?.state === 'restored') return { from: 'snapshot', snapshot: outcome.snapshot };
    if (outcome?.state === 'failed') {
      return { message: retriedText(place, loss, outcome.error.message), isTemporary: true };
    }
    return { message: lossText(place, loss, outcome), isTemporary: outcome?.mayHelp === true };
  }
}
