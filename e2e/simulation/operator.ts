import { isTidemarkError, type Random } from '@tidemark/ports';
import type { Cluster } from './cluster.ts';
import type { StoredTopic } from './placement.ts';
import { PARTITIONS } from './settings.ts';
import type { StoreHost } from './store-host.ts';

/** Max delay until the operator acts on a halt, ms. */
const DELAY_MS = 40_000;
const RETRY_MS = 5000;
/** The reason of all skips: it is part of the state of a store. */
const REASON = 'bit rot';

interface Replica {
  readonly host: StoreHost | undefined;
  readonly nextOffset: number;
  /** Offset of the record that halted it; undefined while it reads. */
  readonly haltedAt: number | undefined;
}

/**
 * Acts on halts as docs/operations/doctor.md says: a replica that halts at a record that another one has read is built again
 * from a copy; a record at which all of them halt is skipped.
 */
export class Operator {
  readonly #cluster: Cluster;
  readonly #random: Random;
  /** When to act on a halt the next time, by topic, partition and offset. */
  readonly #dueMs = new Map<string, number>();
  /** When the operator has acted on each known halt once. */
  #awaitedUntilMs = 0;
  skips = 0;
  rebuilds = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#random = cluster.world.random.fork('operator');
  }

  /** True when a replica is halted. */
  get hasWork(): boolean {
    return places().some(([topic, partition]) => this.#replicas(topic, partition).some(isHalted));
  }

  /**
   * True while a halt waits for the operator, and not for the platform. This time is bounded: each damaged record has one
   * delay, and a halt at another record is a violation.
   */
  get isAwaited(): boolean {
    return this.#cluster.world.clock.monotonicMs() < this.#awaitedUntilMs;
  }

  act(): void {
    for (const [topic, partition] of places()) this.#actOn(topic, partition);
  }

  #actOn(topic: StoredTopic, partition: number): void {
    const replicas = this.#replicas(topic, partition);
    const offset = replicas.find(isHalted)?.haltedAt;
    // A skip that has no effect is decided again: its record may be lost.
    if (offset === undefined || !this.#isDue(`${topic}/${partition}/${offset}`)) return;
    const hasOther = replicas.some(({ nextOffset, haltedAt }) => haltedAt === undefined && nextOffset > offset);
    if (hasOther) {
      for (const { host, haltedAt } of replicas) if (haltedAt === offset) this.#rebuild(host, partition);
    } else if (replicas.every(({ haltedAt }) => haltedAt === offset)) this.#skip(topic, partition, offset);
  }

  #isDue(key: string): boolean {
    const nowMs = this.#cluster.world.clock.monotonicMs();
    const dueMs = this.#dueMs.get(key) ?? this.#noticed(key, nowMs);
    this.#dueMs.set(key, nowMs < dueMs ? dueMs : nowMs + RETRY_MS);
    return nowMs >= dueMs;
  }

  /** Returns when to act on a new halt. */
  #noticed(key: string, nowMs: number): number {
    const delayMs = this.#random.next() ** 2 * DELAY_MS;
    this.#awaitedUntilMs = Math.max(this.#awaitedUntilMs, nowMs + delayMs);
    this.#cluster.world.trace(`${key} halts; the operator acts after ${delayMs.toFixed(0)} ms`);
    return nowMs + delayMs;
  }

  #rebuild(host: StoreHost | undefined, partition: number): void {
    if (host === undefined) return;
    this.rebuilds++;
    this.#cluster.world.trace(`${host.topic}/${partition} is built again from a copy`);
    host.rebuild(partition).catch(this.#passing);
  }

  #skip(topic: StoredTopic, partition: number, offset: number): void {
    const coordinator = this.#cluster.coordinators.find(({ host }) => host !== undefined)?.host?.coordinator;
    if (coordinator === undefined) return;
    this.skips++;
    this.#cluster.world.trace(`${topic}/${partition}: skip offset ${offset}`);
    coordinator.skip(topic, partition, offset, REASON).catch(this.#passing);
  }

  /** A process that ends, or a part that can't be reached: the next attempt repeats it. */
  readonly #passing = (error: unknown): void => {
    const isEnd = error instanceof Error && error.name === 'ProcessCrashed';
    if (!isEnd && !isTidemarkError(error)) this.#cluster.fail(error);
  };

  /** Replicas of all owners; one that is not open has read nothing that is known. */
  #replicas(topic: StoredTopic, partition: number): Replica[] {
    const { placement, stores } = this.#cluster;
    return placement.owners(topic, partition).map((owner) => {
      const host = stores.find(({ name }) => name === owner)?.host;
      const nextOffset = host?.replica(partition)?.nextOffset ?? 0;
      return { host, nextOffset, haltedAt: host?.haltedAt(partition) };
    });
  }
}

function isHalted({ haltedAt }: Replica): boolean {
  return haltedAt !== undefined;
}

function places(): [StoredTopic, number][] {
  return (['points', 'tags'] as const).flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition): [StoredTopic, number] => [topic, partition]),
  );
}
