import type { ReplicaHash } from '@tidemark/contract';
import { FIRST_ERA } from '@tidemark/model';

/** A replica's hash of its state at a position that all replicas of the partition pass. */
export interface ReplicaCheckpoint {
  /** The start of the bucket, ms, of `points`; the offset, of `tags`. */
  readonly key: number;
  /** The offset at which the hash was taken. */
  readonly offset: number;
  readonly hash: string;
  /** Era of the replica when it reported the hash. A bucket that an era opens again has another hash in it. */
  readonly era?: number;
}

/** Hashes between checkpoints that are kept: replicas that wait for the same record are polled at the same offset. */
const MOMENTS = 32;

/** The hashes that one replica has reported of its state. */
export class ReplicaCheckpoints {
  /** The newest checkpoints, without a hole. */
  #newest: readonly ReplicaCheckpoint[] = [];
  /** Older checkpoints that are still compared. */
  #older: readonly ReplicaCheckpoint[] = [];
  /** Hashes at the moments of polls. */
  #moments: readonly ReplicaCheckpoint[] = [];
  #newestOffset: number | undefined;
  #losses: number;

  /** `losses` is how often its process had been lost. */
  constructor(losses: number) {
    this.#losses = losses;
  }

  /**
   * Returns true when the replica may have other checkpoints: a newer one exists, or the replica was lost meanwhile.
   */
  isStale(checkpointOffset: number | undefined, losses: number): boolean {
    return checkpointOffset !== this.#newestOffset || losses !== this.#losses;
  }

  /** Replaces the checkpoints of a replica, ascending; keeps the newest, and those of `keys`. */
  set(checkpoints: readonly ReplicaCheckpoint[], limit: number, keys: ReadonlySet<number>, losses: number): void {
    const first = Math.max(0, checkpoints.length - limit);
    this.#newest = checkpoints.slice(first);
    this.#older = checkpoints.slice(0, first).filter(({ key }) => keys.has(key));
    this.#newestOffset = checkpoints.at(-1)?.offset;
    // It may have returned with other data.
    if (losses !== this.#losses) this.#moments = [];
    this.#losses = losses;
  }

  /** Adds a hash; returns true when it is new. */
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

  /** Era in which the replica reported its checkpoints. */
  get era(): number {
    return this.#newest.at(-1)?.era ?? FIRST_ERA;
  }

  /** Returns true when there are earlier and later checkpoints, so that this one should exist too. */
  hasPassed(key: number): boolean {
    const [first] = this.#newest;
    const last = this.#newest.at(-1);
    return first !== undefined && last !== undefined && first.key < key && key < last.key;
  }
}

/** Returns the processes whose hash differs from that of the majority; none when no hash has more than half of all. */
export function outvoted(hashes: readonly ReplicaHash[]): string[] {
  const votes = Map.groupBy(hashes, ({ offset, hash }) => `${offset} ${hash}`);
  const majority = [...votes.values()].find((same) => same.length * 2 > hashes.length);
  return majority === undefined ? [] : hashes.filter((one) => !majority.includes(one)).map(({ process }) => process);
}

/**
 * Compares one checkpoint of replicas: undefined when fewer than two have passed it, else whether they agree. A replica
 * of `points` that has no hash of a bucket, but hashes of an earlier and a later one, has lost the bucket. Replicas that
 * have not read the newest era are not compared: it may have opened the bucket again.
 */
export function compareAt(
  key: number,
  topic: 'points' | 'tags',
  replicas: ReadonlyMap<string, ReplicaCheckpoints>,
): { readonly agree: boolean; readonly hashes: ReplicaHash[] } | undefined {
  const hashes: ReplicaHash[] = [];
  const era = Math.max(...[...replicas.values()].map((checkpoints) => checkpoints.era));
  for (const [process, checkpoints] of replicas) {
    if (checkpoints.era < era) continue;
    const found = checkpoints.at(key);
    if (found !== undefined) hashes.push({ process, offset: found.offset, hash: found.hash });
    else if (topic === 'points' && checkpoints.hasPassed(key)) hashes.push({ process, offset: -1, hash: '' });
  }
  if (hashes.length < 2) return undefined;
  const [first] = hashes;
  const agree = hashes.every(({ offset, hash }) => offset === first.offset && hash === first.hash);
  return { agree, hashes: hashes.sort((a, b) => a.process.localeCompare(b.process, 'en', { numeric: true })) };
}
