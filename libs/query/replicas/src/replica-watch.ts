import type { ReplicaDivergence } from '@tidemark/contract';
import { type Clock, isTidemarkError, Slots, TidemarkError } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';
import { compareAt, outvoted, type ReplicaCheckpoint, ReplicaCheckpoints } from './replica-checkpoints.ts';
import type { ReplicaLimits } from './replica-limits.ts';
import type { StoreProcess } from './store-process.ts';
import { withinTime } from './within-time.ts';

/** Called when replicas are found to differ, and when they agree again (the wrong one was rebuilt). */
export type OnDivergence = (event: 'found' | 'ended', divergence: ReplicaDivergence) => void;

export interface ReplicaWatchOptions {
  readonly clock: Clock;
  readonly limits: Pick<ReplicaLimits, 'checkpoints' | 'concurrentChecks' | 'divergences' | 'pollTimeoutMs'>;
  /** Returns all checkpoints of a replica, ascending. */
  readonly checkpointsOf: (
    process: StoreProcess<PositionsReader>,
    partition: number,
    signal: AbortSignal,
  ) => Promise<readonly ReplicaCheckpoint[]>;
  readonly onDivergence?: OnDivergence;
}

const NONE: readonly ReplicaDivergence[] = [];
const NOTHING: readonly number[] = [];

/** The known state of one partition of one topic. */
interface Part {
  readonly topic: 'points' | 'tags';
  readonly partition: number;
  /** Checkpoints by the name of the process. */
  readonly replicas: Map<string, ReplicaCheckpoints>;
  /** Divergences by the key of the checkpoint; of `tags` at most one, because their state is cumulative. */
  readonly divergences: Map<number, ReplicaDivergence>;
  /** Processes whose checkpoints are being requested. */
  readonly asking: Set<string>;
}

/**
 * Compares the state of replicas while they run: each hashes its state at the same checkpoints of the log, so a
 * difference means that one of them is wrong, because of faulty memory, a faulty disk or a bug. Differences are kept,
 * up to a limit, and each is reported once.
 */
export class ReplicaWatch {
  readonly #options: ReplicaWatchOptions;
  readonly #parts = new Map<string, Part>();
  /** The partitions that each process had at its last check. */
  readonly #checked = new Map<StoreProcess<PositionsReader>, readonly number[]>();
  readonly #slots: Slots;
  readonly #stop = new AbortController();
  #divergences = 0;

  constructor(options: ReplicaWatchOptions) {
    this.#options = options;
    this.#slots = new Slots(options.limits.concurrentChecks);
  }

  /** The differences, by partition and checkpoint. */
  get divergences(): readonly ReplicaDivergence[] {
    if (this.#divergences === 0) return NONE;
    return [...this.#parts.values()]
      .flatMap(({ divergences }) => [...divergences.values()])
      .sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset);
  }

  /** Returns true when the majority of a partition's replicas contradicts this one. */
  isOutvoted({ topic, name }: StoreProcess<PositionsReader>, partition: number): boolean {
    if (this.#divergences === 0) return false;
    const divergences = this.#parts.get(`${topic}/${partition}`)?.divergences.values() ?? [];
    return [...divergences].some(({ hashes }) => outvoted(hashes).includes(name));
  }

  stop(): void {
    this.#stop.abort(new TidemarkError('cancelled', 'the comparison of replicas has stopped'));
  }

  /** Compares the new hashes of a process that has reported its positions. */
  check(process: StoreProcess<PositionsReader>): void {
    const { topic, name, positions, losses } = process;
    for (const { partition, offset, stateHash, checkpointOffset } of positions.values()) {
      const part = this.#partOf(topic, partition);
      const replica = part.replicas.get(name) ?? new ReplicaCheckpoints(losses);
      part.replicas.set(name, replica);
      if (replica.addMoment(offset, stateHash)) this.#compare(part, offset);
      if (replica.isStale(checkpointOffset, losses)) void this.#ask(process, part, replica);
    }
    // The hashes of a released partition do not apply when the process owns it again.
    for (const partition of this.#checked.get(process) ?? NOTHING) {
      if (!positions.has(partition)) this.#partOf(topic, partition).replicas.delete(name);
    }
    this.#checked.set(process, [...positions.keys()]);
  }

  async #ask(process: StoreProcess<PositionsReader>, part: Part, replica: ReplicaCheckpoints): Promise<void> {
    const { clock, limits, checkpointsOf } = this.#options;
    const { partition, asking, divergences } = part;
    const { losses } = process;
    if (asking.has(process.name)) return;
    asking.add(process.name);
    try {
      const checkpoints = await this.#slots.run(() =>
        withinTime(clock, limits.pollTimeoutMs, process.name, this.#stop.signal, (signal) =>
          checkpointsOf(process, partition, signal),
        ),
      );
      replica.set(checkpoints, limits.checkpoints, new Set(divergences.keys()), losses);
      this.#compareAll(part);
    } catch (error) {
      // The next report of positions triggers the request again.
      if (!isTidemarkError(error)) throw error;
    } finally {
      asking.delete(process.name);
    }
  }

  #compareAll(part: Part): void {
    const keys = new Set([...part.replicas.values()].flatMap((replica) => replica.keys));
    for (const key of [...keys].sort((a, b) => a - b)) this.#compare(part, key);
  }

  #compare(part: Part, key: number): void {
    const { topic, replicas, divergences } = part;
    const found = compareAt(key, topic, replicas);
    if (found === undefined) return;
    if (!found.agree) {
      this.#differ(part, key, found.hashes);
      return;
    }
    const agreeing = new Set(found.hashes.map(({ process }) => process));
    for (const [other, { hashes }] of [...divergences]) {
      // The state of tags is cumulative: where it is equal, earlier differences have ended.
      const isSettled = topic === 'points' ? other === key : other <= key;
      if (isSettled && hashes.every(({ process }) => agreeing.has(process) || !replicas.has(process))) {
        this.#end(part, other);
      }
    }
  }

  #differ(part: Part, key: number, hashes: ReplicaDivergence['hashes']): void {
    const { topic, partition, divergences } = part;
    // The state of tags differs everywhere after its first difference, so only the earliest known one is kept.
    const [first] = topic === 'tags' ? divergences.keys() : [key];
    if (first !== undefined && first < key) return;
    const known = first === undefined ? undefined : divergences.get(first);
    if (known === undefined) {
      if (this.#divergences >= this.#options.limits.divergences) return;
      this.#divergences++;
    } else if (first !== undefined) {
      divergences.delete(first);
    }
    const taken = hashes.filter(({ hash }) => hash !== '').map(({ offset }) => offset);
    const divergence: ReplicaDivergence = {
      ...{ topic, partition, hashes },
      bucketMs: topic === 'points' ? key : undefined,
      offset: Math.min(...taken),
      foundMs: known?.foundMs ?? Math.floor(this.#options.clock.wallMs()),
    };
    divergences.set(key, divergence);
    if (known === undefined) this.#options.onDivergence?.('found', divergence);
  }

  #end({ divergences }: Part, key: number): void {
    const ended = divergences.get(key);
    if (ended === undefined) return;
    divergences.delete(key);
    this.#divergences--;
    this.#options.onDivergence?.('ended', ended);
  }

  #partOf(topic: 'points' | 'tags', partition: number): Part {
    const key = `${topic}/${partition}`;
    let part = this.#parts.get(key);
    if (part === undefined) {
      part = { topic, partition, replicas: new Map(), divergences: new Map(), asking: new Set() };
      this.#parts.set(key, part);
    }
    return part;
  }
}
