import {
  asTidemarkError,
  type Clock,
  carriedError,
  type Disk,
  isTidemarkError,
  type Log,
  type LogBounds,
  TidemarkError,
} from '@tidemark/ports';
import { boundsOf, type DatabasePlace, databaseName } from './damaged-database.ts';
import type { FromStore, PassedOver, RestoredSnapshot, RestoreOutcome, RestoreRequest } from './store-messages.ts';

/** Why a snapshot is not restored twice: what damaged its database would do so again. */
const RESTORED_BEFORE =
  'was restored before since the process started, and its database was lost again: check the disk, then restart';

/** End of the name of the folder of a restored database; that of an incomplete one has more behind it. */
const RESTORED = '.restored';

interface Ports {
  /** Of the databases. */
  readonly disk: Pick<Disk, 'list' | 'remove' | 'rename'>;
  readonly log: Pick<Log, 'bounds'>;
  readonly clock: Clock;
  /** Aborted when the stores stop. */
  readonly stopping: AbortSignal;
  /** Opens and closes the database in a folder below that of the databases. Throws `data_loss` where it can't be opened. */
  readonly check: (place: DatabasePlace, folder: string) => Promise<void>;
  readonly send: (message: FromStore) => void;
}

/** Asks the main thread for databases from snapshots. */
export class SnapshotRequests {
  readonly #ports: Ports;
  /** Requests that have no reply yet, by their id. */
  readonly #waiting = new Map<number, (outcome: RestoreOutcome) => void>();
  /** Snapshots that are not taken again, by their id, by the name of their database. */
  readonly #passedOver = new Map<string, Map<string, PassedOver>>();
  /** Snapshots that are restored, and were not put in place yet, by the name of their database. */
  readonly #restored = new Map<string, RestoredSnapshot>();
  #nextId = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
    ports.stopping.addEventListener('abort', () => {
      for (const id of [...this.#waiting.keys()]) this.settle(id, stopped());
    });
  }

  /** Has the newest snapshot that the log continues, and that can be opened, restored into a folder next to that of the database. */
  async restore(place: DatabasePlace, format: number): Promise<RestoreOutcome> {
    try {
      for (;;) {
        const outcome = await this.#download(place, format);
        if (outcome.state !== 'restored') return outcome;
        const { snapshot } = outcome;
        const wrong = await this.#wrongOf(place);
        if (wrong !== undefined) {
          this.#passOver(place, { id: snapshot.id, why: `can't be opened: ${wrong}`, mayHelp: true });
        }
        // The log may have been trimmed meanwhile.
        else if (await this.continues(place, snapshot)) return outcome;
        this.#restored.delete(databaseName(place));
      }
    } catch (error) {
      return { state: 'failed', error: carriedError(asTidemarkError(error)) };
    }
  }

  settle(id: number, outcome: RestoreOutcome): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  /** Whether the log has the records after a snapshot. Errors: `unavailable` where the log does not answer. */
  async continues(place: DatabasePlace, { offset }: RestoredSnapshot): Promise<boolean> {
    const { first } = await this.#boundsOf(place);
    return first <= offset;
  }

  /** Moves what was restored to the place of the database, whose folder must not exist. */
  async putInPlace(place: DatabasePlace, snapshot: RestoredSnapshot): Promise<void> {
    await this.#ports.disk.rename(restoredFolder(place), databaseName(place));
    this.#restored.delete(databaseName(place));
    this.#passOver(place, { id: snapshot.id, why: RESTORED_BEFORE, mayHelp: true });
  }

  /** Removes what restores have left that did not end. */
  async clean(place: DatabasePlace): Promise<void> {
    const { disk } = this.#ports;
    const { kind, partition } = place;
    const own = (await disk.list(kind)).filter((name) => name.startsWith(`${partition}${RESTORED}`));
    for (const name of own) await disk.remove(`${kind}/${name}`);
  }

  /** Downloads a snapshot, if that has not been done. */
  async #download(place: DatabasePlace, format: number): Promise<RestoreOutcome> {
    const name = databaseName(place);
    const bounds = await this.#boundsOf(place);
    const known = this.#restored.get(name);
    if (known !== undefined && bounds.first <= known.offset) return { state: 'restored', snapshot: known, damaged: [] };
    const to = restoredFolder(place);
    // Of a process that ended before it took the place of the database.
    await this.#ports.disk.remove(to);
    const outcome = await this.#ask(place, {
      ...{ to, format, logId: bounds.id, fromOffset: bounds.first, toOffset: bounds.next },
      askedMs: this.#ports.clock.wallMs(),
      without: [...(this.#passedOver.get(name)?.values() ?? [])],
    });
    if (outcome.state === 'restored') this.#restored.set(name, outcome.snapshot);
    // They would be downloaded again at each attempt.
    for (const one of outcome.damaged ?? []) this.#passOver(place, one);
    return outcome;
  }

  async #boundsOf(place: DatabasePlace): Promise<LogBounds> {
    const { log, clock, stopping } = this.#ports;
    const bounds = await boundsOf(log, clock, place, { stopping });
    if (bounds === undefined) throw new TidemarkError('unavailable', 'the log does not answer');
    return bounds;
  }

  /** Why a restored database can't be opened; undefined when it can. */
  async #wrongOf(place: DatabasePlace): Promise<string | undefined> {
    try {
      await this.#ports.check(place, restoredFolder(place));
      return undefined;
    } catch (error) {
      if (isTidemarkError(error, 'data_loss')) return error.message;
      // Files that can't be read are downloaded again, perhaps to another part of the disk.
      if (isTidemarkError(error, 'unavailable')) this.#restored.delete(databaseName(place));
      throw error;
    }
  }

  #passOver(place: DatabasePlace, one: PassedOver): void {
    const name = databaseName(place);
    const own = this.#passedOver.get(name) ?? new Map<string, PassedOver>();
    this.#passedOver.set(name, own.set(one.id, one));
  }

  #ask({ kind, partition }: DatabasePlace, rest: Omit<RestoreRequest, 'kind' | 'partition'>): Promise<RestoreOutcome> {
    if (this.#ports.stopping.aborted) return Promise.resolve(stopped());
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#ports.send({ type: 'restore', id, request: { kind, partition, ...rest } });
    });
  }
}

function stopped(): RestoreOutcome {
  return { state: 'failed', error: carriedError(new TidemarkError('cancelled', 'the stores stop')) };
}

function restoredFolder(place: DatabasePlace): string {
  return databaseName(place) + RESTORED;
}
