import type { ProcessKind } from '@tidemark/doctor';
import { TidemarkError } from '@tidemark/ports';
import { MAX_PARTITION, SNAPSHOT_KINDS, type SnapshotKind } from '@tidemark/snapshot';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type CreatedSnapshots, createdTable, failedText } from '../created-snapshots.ts';
import type { Target } from '../deployment.ts';
import type { RemoteOptions } from '../endpoints.ts';
import { deploymentOf } from '../find-deployment.ts';
import { type FormatOptions, tableOrJson } from '../format-option.ts';
import { print, printError } from '../printable.ts';
import { ProgressLine } from '../progress-line.ts';
import { withAdvice, withRemote } from '../remote.ts';
import { requestSnapshots } from '../request-snapshots.ts';
import { wholeNumber } from '../whole-number.ts';

interface CreateOptions extends RemoteOptions, FormatOptions {
  readonly kind?: SnapshotKind;
  readonly partition: readonly number[];
}

/** The stores of each process of a cluster that has some. */
const KIND_OF: Readonly<Partial<Record<ProcessKind, SnapshotKind>>> = {
  'point store': 'points',
  'tag store': 'tags',
  aggregator: 'aggregator',
};
/** Exit code after Ctrl-C: 128 and the number of the signal, as shells have it. */
const INTERRUPTED = 130;

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
  const partition = wholeNumber(text);
  if (partition > MAX_PARTITION) throw new InvalidArgumentError(`Give a number up to ${MAX_PARTITION}.`);
  return [...before, partition];
}

async function create(options: CreateOptions): Promise<void> {
  const deployment = await deploymentOf(options);
  const targets = deployment.targets.filter((target) => hasStores(target, options));
  if (targets.length === 0) {
    throw new TidemarkError('not_found', 'the settings name no process with stores of that kind and partition');
  }
  const request = { kind: options.kind ?? '', partitions: [...options.partition] };
  const line = new ProgressLine(process.stderr, () => performance.now());
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  // A second one ends the program at once.
  process.once('SIGINT', interrupt);
  const { signal } = abort;
  // The advice names flags for address and key; with settings, these come from the file.
  const advise = options.settings === undefined ? withAdvice : (error: TidemarkError) => error;
  try {
    show(
      await requestSnapshots({ ...deployment, targets }, request, { line, advise, signal }).finally(() => line.clear()),
      options,
    );
  } finally {
    process.off('SIGINT', interrupt);
  }
  if (!signal.aborted) return;
  printError('tidemark: interrupted: the snapshot in progress was not made, and no further one');
  process.exitCode = INTERRUPTED;
}

function hasStores({ kind, partitions }: Target, asked: CreateOptions): boolean {
  // Which stores a whole platform has, it knows itself.
  if (kind === 'platform') return true;
  const own = KIND_OF[kind];
  if (own === undefined || own !== (asked.kind ?? own)) return false;
  return asked.partition.length === 0 || partitions.some((partition) => asked.partition.includes(partition));
}

function show(created: CreatedSnapshots, { format }: CreateOptions): void {
  const { snapshots, failed } = created;
  if (format === 'json') {
    print(JSON.stringify(created, undefined, 2));
  } else {
    if (snapshots.length > 0) print(createdTable(snapshots));
    for (const one of failed) printError(`tidemark: ${failedText(one)}`);
  }
  if (failed.length > 0) process.exitCode = 1;
}
