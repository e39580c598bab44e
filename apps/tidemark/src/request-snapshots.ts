import { Metadata } from '@grpc/grpc-js';
import { type CreateSnapshotsReply, type CreateSnapshotsRequest, SnapshotsClient } from '@tidemark/contract';
import { isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { peerChannel, readStream } from '@tidemark/rpc';
import type { CreatedSnapshots } from './created-snapshots.ts';
import type { Deployment, Target } from './deployment.ts';
import type { ProgressLine } from './progress-line.ts';

export interface RequestSnapshotsOptions {
  readonly line: Pick<ProgressLine, 'show'>;
  /** Adds what to do to an error of the process at an address. */
  readonly advise: (error: TidemarkError, address: string) => TidemarkError;
  /** Ends the snapshot in progress; no further one is asked for. */
  readonly signal: AbortSignal;
}

/**
 * Asks processes for snapshots, one process after the other: they share the object store, and its network. A process that fails
 * does not stop the others. A partition that is asked for and that no process has is a failure, too.
 */
export async function requestSnapshots(
  { targets, ...access }: Pick<Deployment, 'targets' | 'credentials' | 'processKey'>,
  request: CreateSnapshotsRequest,
  options: RequestSnapshotsOptions,
): Promise<CreatedSnapshots> {
  const created: CreatedSnapshots = { snapshots: [], failed: [] };
  const unknown: Target[] = [];
  for (const target of targets) {
    if (options.signal.aborted) return created;
    const { address } = target;
    const show: ProgressLine['show'] = (of, ...bytes) =>
      options.line.show(targets.length > 1 ? `${of} at ${address}` : of, ...bytes);
    const isAnswered = await requestAt(address, access, request, created, { ...options, line: { show } });
    if (!isAnswered) unknown.push(target);
  }
  if (!options.signal.aborted) addMissing(request, created, unknown);
  return created;
}

/** Adds what a process has made, and its error, to `created`. False when the call as a whole failed. */
async function requestAt(
  address: string,
  { credentials, processKey }: Pick<Deployment, 'credentials' | 'processKey'>,
  request: CreateSnapshotsRequest,
  { snapshots, failed }: CreatedSnapshots,
  { line, advise, signal }: RequestSnapshotsOptions,
): Promise<boolean> {
  const metadata = new Metadata();
  if (processKey !== undefined) metadata.set('authorization', `Bearer ${processKey}`);
  // No deadline, since a snapshot may take hours: that a process is gone shows by the pings of the channel.
  const client = new SnapshotsClient(address, credentials, peerChannel());
  const receive = ({ kind, partition, state }: CreateSnapshotsReply): void => {
    const place = { of: `${kind}/${partition}`, process: address };
    if (state?.$case === 'progress') line.show(place.of, state.value.doneBytes, state.value.totalBytes);
    else if (state?.$case === 'failed') failed.push({ ...place, ...state.value });
    else if (state !== undefined) {
      const { createdMs, ...made } = state.value;
      snapshots.push({ ...place, ...made, made: new Date(createdMs).toISOString() });
    }
  };
  try {
    await readStream(() => client.create(request, metadata), receive, signal);
    return true;
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    if (signal.aborted) return false;
    const { code, message: reason } = advise(error, address);
    failed.push({ process: address, code, reason });
    return false;
  } finally {
    client.close();
  }
}

/** Adds the partitions that are asked for and of which nothing has come. Those of `unknown` processes may exist. */
function addMissing(
  { kind, partitions }: CreateSnapshotsRequest,
  created: CreatedSnapshots,
  unknown: readonly Target[],
): void {
  // Which stores a whole platform has, only it knows.
  if (unknown.some((target) => target.partitions.length === 0)) return;
  const known = new Set(unknown.flatMap((target) => target.partitions));
  for (const { of } of [...created.snapshots, ...created.failed]) {
    if (of !== undefined) known.add(Number(of.slice(of.indexOf('/') + 1)));
  }
  for (const partition of new Set(partitions)) {
    if (known.has(partition)) continue;
    const reason = `no process has a store of ${kind === '' ? 'any kind' : `the kind ${kind}`} and partition ${partition}`;
    created.failed.push({ code: 'not_found', reason });
  }
}
