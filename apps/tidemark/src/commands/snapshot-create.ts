import { Metadata } from '@grpc/grpc-js';
import { type CreateSnapshotsReply, type CreateSnapshotsRequest, SnapshotsClient } from '@tidemark/contract';
import type { ProcessKind } from '@tidemark/doctor';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { peerChannel, readStream } from '@tidemark/rpc';
import { SNAPSHOT_KINDS, type SnapshotKind } from '@tidemark/snapshot';
import { Command, Option } from 'commander';
import { type CreatedSnapshots, createdTable, failedText } from '../created-snapshots.ts';
import type { Deployment, Target } from '../deployment.ts';
import { deploymentOf } from '../find-deployment.ts';
import { type FormatOptions, tableOrJson } from '../format-option.ts';
import { print, printError } from '../printable.ts';
import { ProgressLine } from '../progress-line.ts';
import { withAdvice, withRemote } from '../remote.ts';
import { wholeNumber } from '../whole-number.ts';

interface CreateOptions extends FormatOptions {
  readonly kind?: SnapshotKind;
  readonly partition: readonly number[];
}

/** The stores of each process of a cluster that has some. */
const KIND_OF: Readonly<Partial<Record<ProcessKind, SnapshotKind>>> = {
  'point store': 'points',
  'tag store': 'tags',
  aggregator: 'aggregator',
};

/** The command that asks a running platform for snapshots. */
export function createCommand(): Command {
  return withRemote(new Command('create'))
    .description('make a snapshot of each store of a running platform now')
    .addOption(new Option('--kind <kind>', 'only of stores of this kind').choices(SNAPSHOT_KINDS))
    .option('--partition <number>', 'only of stores of this partition; may be repeated', addPartition, [])
    .addOption(tableOrJson())
    .action(create);
}

function addPartition(text: string, before: readonly number[]): readonly number[] {
  return [...before, wholeNumber(text)];
}

async function create(options: CreateOptions): Promise<void> {
  const deployment = await deploymentOf(options);
  const targets = deployment.targets.filter((target) => hasStores(target, options));
  if (targets.length === 0) {
    throw new TidemarkError('not_found', 'the settings name no process with stores of that kind and partition');
  }
  const line = new ProgressLine(process.stderr, () => performance.now());
  const created: CreatedSnapshots = { snapshots: [], failed: [] };
  const request = { kind: options.kind ?? '', partitions: [...options.partition] };
  // One after the other: they share the object store, and its network.
  for (const target of targets) await createAt(target, deployment, request, created, line);
  line.clear();
  const { snapshots, failed } = created;
  if (options.format === 'json') {
    print(JSON.stringify(created, undefined, 2));
  } else {
    if (snapshots.length > 0) print(createdTable(snapshots));
    for (const one of failed) printError(`tidemark: ${failedText(one)}`);
  }
  if (failed.length > 0) process.exitCode = 1;
}

function hasStores({ kind, partitions }: Target, asked: CreateOptions): boolean {
  // Which stores a whole platform has, it knows itself.
  if (kind === 'platform') return true;
  const own = KIND_OF[kind];
  if (own === undefined || own !== (asked.kind ?? own)) return false;
  return asked.partition.length === 0 || partitions.some((partition) => asked.partition.includes(partition));
}

/** Adds what a process has made, and its error, to `created`. */
async function createAt(
  { address }: Target,
  { credentials, processKey }: Deployment,
  request: CreateSnapshotsRequest,
  { snapshots, failed }: CreatedSnapshots,
  line: ProgressLine,
): Promise<void> {
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
    await readStream(() => client.create(request, metadata), receive);
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    const { code, message: reason } = withAdvice(error, address);
    failed.push({ process: address, code, reason });
  } finally {
    client.close();
  }
}
