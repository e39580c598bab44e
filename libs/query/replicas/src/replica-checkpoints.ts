import type { ReplicaHash } from '@tidemark/contract';

/** A replica's hash of its state at a place that all replicas of the partition come by. */
export interface ReplicaCheckpoint {
  /** Of `points` the start of the bucket, ms; of `tags` the offset. */
  readonly key: number;
  /** The offset at which the hash was taken. */
  readonly offset: number;
  readonly hash: string;
}

/** Hashes between checkpoints that are kept: replicas that wait for the same record are asked at the same offset. */
const MOMENTS = 32;

/** What one replica has said of its state. */
export class ReplicaCheckpoints {
  /** The newest ones, without a hole. */
  #newest: readonly ReplicaCheckpoint[] = [];
  /** Older ones that are still of interest. */
  #older: readonly ReplicaCheckpoint[] = [];
  /** Hashes of the moments at which it was asked. */
  #moments: readonly ReplicaCheckpoint[] = [];
  #newestOffset: number | undefined;
  #losses: number;

  /** `losses`: how often its process had been lost. */
  constructor(losses: number) {
    this.#losses = losses;
  }

  /** True when there may be more to ask for than what is known here: a newer checkpoint, or the replica was away. */
  isStale(checkpointOffset: number | undefined, losses: number): boolean {
    return checkpointOffset !== this.#newestOffset || losses !== this.#losses;
  }

  /** Takes over all checkpoints of a replica, ascending; the newest are kept, and those of `keys`. */
  set(checkpoints: readonly ReplicaCheckpoint[], limit: number, keys: ReadonlySet<number>, losses: number): void {
    const first = Math.max(0, checkpoints.length - limit);
    this.#newest = checkpoints.slice(first);
    this.#older = checkpoints.slice(0, first).filter(({ key }) => keys.has(key));
    this.#newestOffset = checkpoints.at(-1)?.offset;
    // It may have come back with other data.
    if (losses !== this.#losses) this.#moments = [];
    this.#losses = losses;
  }

  /** True when it is a new one. */
  addMoment(offset: number, hash: string | undefined): boolean {
    const last = this.#moments.at(-1);
    if (hash === undefined || (last?.offset === offset && last.hash === hash)) return false;
    const others = this.#moments.filter(({ key }) => key !== offset);
    this.#moments = [...others, { key: offset, offset, hash }].slice(-MOMENTS);
    return true;
  }

  get keys(): number[] {
    return [...this.#older, ...this.#newest, ...this.#moments].map(({ key }) => key);
  }

  at(wanted: number): ReplicaCheckpoint | undefined {
    const isWanted = ({ key }: ReplicaCheckpoint) => key === wanted;
    return this.#newest.find(isWanted) ?? this.#older.find(isWanted) ?? this.#moments.find(isWanted);
  }

  /** It has hashes from before and from after, so it should have one of this, too. */
  hasPassed(key: number): boolean {
    const [first] = this.#newest;
    const last = this.#newest.at(-1);
    return first !== undefined && last !== undefined && first.key < key && key < last.key;
  }
}

/** The processes that most of the others contradict; none where no hash has more than half of all. */
export function outvoted(hashes: readonly ReplicaHash[]): string[] {
  const votes = Map.groupBy(hashes, ({ offset, hash }) => `${offset} ${hash}`);
  const majority = [...votes.values()].find((same) => same.length * 2 > hashes.length);
  return majority === undefined ? [] : hashes.filter((one) => !majority.includes(one)).map(({ process }) => process);
}

/**
 * What replicas say of one checkpoint: undefined when fewer than two have come by it, else whether they agree. Of `points`
 * a replica that has no hash of a bucket, but of ones before and after it, has lost the bucket.
 */
export function compareAt(
  key: number,
  topic: 'points' | 'tags',
  replicas: ReadonlyMap<string, ReplicaCheckpoints>,
): { readonly agree: boolean; readonly hashes: ReplicaHash[] } | undefined {
  const hashes: ReplicaHash[] = [];
  for (const [process, checkpoints] of replicas) {
    const found = checkpoints.at(key);
    if (found !== undefined) hashes.push({ process, offset: found.offset, hash: found.hash });
    else if (topic === 'points' && checkpoints.hasPassed(key)) hashes.push({ process, offset: -1, hash: '' });
  }
  if (hashes.length < 2) return undefined;
  const [first] = hashes;
  const agree = hashes.every(({ offset, hash }) => offset === first.offset && hash === first.hash);
  return { agree, hashes: hashes.sort((a, b) => a.process.localeCompare(b.process, 'en', { numeric: true })) };
}
