import type { ReplicaPosition } from '@tidemark/contract';
import type { TidemarkError } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';

/** A process of point stores, or of tag stores. */
export interface StoreProcessOptions<Reader extends PositionsReader> {
  /** Its address, as errors, alarms and status name it. */
  readonly name: string;
  readonly reader: Reader;
  /** Partitions that it should own. It is also asked for any other partition that it reports. */
  readonly partitions: readonly number[];
}

/** One process of stores, with its last reported state. */
export class StoreProcess<Reader extends PositionsReader> {
  readonly topic: 'points' | 'tags';
  readonly name: string;
  readonly reader: Reader;
  readonly partitions: ReadonlySet<number>;
  /** Requests without an answer yet. */
  inFlight = 0;
  #state: 'unknown' | 'live' | 'lost' = 'unknown';
  #positions: ReadonlyMap<number, ReplicaPosition> = new Map();
  #seenMs: number | undefined;
  #lastError: TidemarkError | undefined;
  #losses = 0;
  readonly #onLost = new Set<() => void>();

  constructor(topic: 'points' | 'tags', { name, reader, partitions }: StoreProcessOptions<Reader>) {
    this.topic = topic;
    this.name = name;
    this.reader = reader;
    this.partitions = new Set(partitions);
  }

  /** `unknown` before the first poll has ended; `lost` after one that failed, until one succeeds. */
  get state(): 'unknown' | 'live' | 'lost' {
    return this.#state;
  }

  /** The error with which it was lost. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError;
  }

  /** How often it was lost: each time it may have returned with other data. */
  get losses(): number {
    return this.#losses;
  }

  /** Wall clock when it last reported its positions, ms since the epoch. */
  get seenMs(): number | undefined {
    return this.#seenMs;
  }

  /** Last reported position of each of its replicas. */
  get positions(): ReadonlyMap<number, ReplicaPosition> {
    return this.#positions;
  }

  /** Partitions that it should own, or reports to own. */
  get owned(): ReadonlySet<number> {
    return new Set([...this.partitions, ...this.#positions.keys()]);
  }

  /** Records the positions of a successful poll. Returns true when they are of other partitions than before. */
  answered(positions: readonly ReplicaPosition[], nowMs: number): boolean {
    const before = this.#positions;
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
    this.#seenMs = nowMs;
    this.#lastError = undefined;
    this.#state = 'live';
    return before.size !== this.#positions.size || positions.some(({ partition }) => !before.has(partition));
  }

  /** Records a failed poll. */
  failed(error: TidemarkError): void {
    this.#lastError = error;
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#losses++;
    for (const listener of [...this.#onLost]) listener();
  }

  /** Calls `listener` each time the process is lost, until the returned function is called. */
  whenLost(listener: () => void): () => void {
    this.#onLost.add(listener);
    return () => void this.#onLost.delete(listener);
  }
}
