import { credentials } from '@grpc/grpc-js';
import type { PartitionStatusReply } from '@tidemark/contract';
import type { LocalCluster } from '@tidemark/local-cluster';
import { SystemClock } from '@tidemark/node-runtime';
import { grpcPointStore, grpcTagStore } from '@tidemark/store-rpc';
import { eventually } from '../process/eventually.ts';
import type { PlainPosition } from '../simulation/plain-consumer.ts';
import { PARTITIONS } from './settings.ts';

export interface ReplicasChecked {
  /** Number of compared state hashes of two replicas at one offset, and of closed buckets of two replicas. */
  readonly hashes: number;
  readonly bucketHashes: number;
  readonly problems: readonly string[];
}

const CAUGHT_UP_MS = 240_000;
const POLL_MS = 100;

/**
 * Compares the replicas with each other and with the log at their position, when the log no longer grows. `ends` are
 * the offsets after its last records.
 */
export async function checkReplicas(
  cluster: LocalCluster,
  ends: { readonly points: readonly number[]; readonly tags: readonly number[] },
  positions: readonly (readonly PlainPosition[])[],
): Promise<ReplicasChecked> {
  const problems: string[] = [];
  const hashes = new Hashes(problems);
  const buckets = new Hashes(problems);
  const options = { clock: new SystemClock(), timeoutMs: 10_000 };
  for (const { name, ports } of cluster.of('point-store')) {
    const store = grpcPointStore(`127.0.0.1:${ports.grpc}`, credentials.createInsecure(), options);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const what = `points/${partition} of ${name}`;
      const status = await reached(what, ends.points[partition], () => store.status({ partition }));
      checkPosition(what, status, positions[partition], problems);
      const { offset, hash } = await store.stateHash({ partition });
      hashes.add(`points/${partition} at ${offset}`, name, hash);
      for (const { bucketMs, offset: closedAt, hash: ofBucket } of status.stateHashes) {
        buckets.add(`bucket ${bucketMs} of points/${partition}`, name, `${ofBucket} at ${closedAt}`);
      }
    }
    store.close();
  }
  for (const { name, ports } of cluster.of('tag-store')) {
    const store = grpcTagStore(`127.0.0.1:${ports.grpc}`, credentials.createInsecure(), options);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const what = `tags/${partition} of ${name}`;
      const status = await reached(what, ends.tags[partition], () => store.status({ partition }));
      if (status.halted !== '') problems.push(`${what} is halted at ${status.haltedOffset}: ${status.halted}`);
      hashes.add(`tags/${partition} at ${status.offset}`, name, status.stateHash);
    }
    store.close();
  }
  return { hashes: hashes.compared, bucketHashes: buckets.compared, problems };
}

function reached<Status extends { readonly offset: number; readonly halted: string }>(
  what: string,
  end: number,
  poll: () => Promise<Status>,
): Promise<Status> {
  const isThere = ({ offset, halted }: Status) => offset >= end || halted !== '';
  const see = async () => {
    const status = await poll();
    if (isThere(status)) return status;
    throw new Error(`${what} is at ${status.offset} of ${end}`);
  };
  return eventually(`${what} to reach the log's end`, see, CAUGHT_UP_MS, POLL_MS);
}

function checkPosition(
  what: string,
  status: PartitionStatusReply,
  positions: readonly PlainPosition[],
  problems: string[],
): void {
  if (status.halted !== '') problems.push(`${what} is halted at ${status.haltedOffset}: ${status.halted}`);
  const expected = positions[status.offset - 1];
  if (expected === undefined) {
    problems.push(`${what} is at ${status.offset}, beyond the log's end at ${positions.length}`);
    return;
  }
  for (const field of ['watermarkMs', 'points', 'latePoints', 'duplicatePoints'] as const) {
    if (status[field] === expected[field]) continue;
    problems.push(`${what} at ${status.offset}: ${field} is ${status[field]}, by the log it is ${expected[field]}`);
  }
}

/** Values that several replicas have for the same key. */
class Hashes {
  readonly #known = new Map<string, { readonly replica: string; readonly hash: string }>();
  readonly #problems: string[];
  compared = 0;

  constructor(problems: string[]) {
    this.#problems = problems;
  }

  add(what: string, replica: string, hash: string): void {
    const known = this.#known.get(what);
    if (known === undefined) {
      this.#known.set(what, { replica, hash });
      return;
    }
    this.compared++;
    if (known.hash === hash) return;
    this.#problems.push(`state: ${what} is ${known.hash} for ${known.replica}, ${hash} for ${replica}`);
  }
}
