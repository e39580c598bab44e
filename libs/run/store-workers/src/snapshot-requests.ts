import type { Clock, Disk, Log } from '@tidemark/ports';
import { boundsOf, type DatabasePlace } from './damaged-database.ts';
import type { FromStore, RestoreOutcome } from './store-messages.ts';

interface Ports {
  /** Of the databases. */
  readonly disk: Pick<Disk, 'remove' | 'rename'>;
  readonly log: Pick<Log, 'bounds'>;
  readonly clock: Clock;
  readonly send: (message: FromStore) => void;
}

/** Asks the main thread for databases from snapshots. */
export class SnapshotRequests {
  readonly #ports: Ports;
  /** Requests that have no reply yet, by their id. */
  readonly #waiting = new Map<number, (outcome: RestoreOutcome) => void>();
  #nextId = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Has the newest snapshot that the log continues restored into a folder next to that of the database. */
  async restore({ kind, partition, topic }: DatabasePlace): Promise<RestoreOutcome> {
    const { disk, log, clock, send } = this.#ports;
    const bounds = await boundsOf(log, clock, topic, partition);
    if (bounds === undefined) return { state: 'none', found: 'the log does not answer' };
    const to = restoredFolder(kind, partition);
    // Of a process that ended before it took the place of the database.
    await disk.remove(to);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      send({ type: 'restore', id, request: { kind, partition, to, logId: bounds.id, fromOffset: bounds.first } });
    });
  }

  settle(id: number, outcome: RestoreOutcome): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  /** Moves what was restored to the place of the database, whose folder must not exist. */
  async putInPlace({ kind, partition }: DatabasePlace): Promise<void> {
    await this.#ports.disk.rename(restoredFolder(kind, partition), `${kind}/${partition}`);
  }
}

function restoredFolder(kind: string, partition: number): string {
  return `${kind}/${partition}.restored`;
}
