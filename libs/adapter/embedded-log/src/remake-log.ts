import { type Disk, TidemarkError } from '@tidemark/ports';
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded-log.ts';
import { claimFormat } from './format-file.ts';
import { type MadePartition, MOST_REMADE, PartitionList } from './partition-list.ts';
import { TOPICS } from './partition-set.ts';

/** Left by file systems. */
const IGNORED = 'lost+found';

/**
 * Makes a log in an empty folder that continues one whose disk was lost: its partitions have the same ids, and begin at
 * `nextAfterLoss`; reads of what is below are `data_loss`. `fillControl` appends to `control`, before any other partition can be
 * opened: without keys and maps the log must not be used. `made` is what `EmbeddedLog.made` was, and `remade` must be no less than
 * it was when the log was lost. Errors: `failed_precondition` for a folder that is not empty, a list without `control`, and after
 * `MOST_REMADE` losses; those of the disk and of `fillControl`.
 */
export async function remakeLog(
  options: Omit<EmbeddedLogOptions, 'partitions'>,
  made: readonly MadePartition[],
  fillControl: (log: EmbeddedLog) => Promise<void>,
): Promise<void> {
  const { disk } = options;
  const [first] = (await disk.list('')).filter((name) => name !== IGNORED);
  if (first !== undefined) {
    throw new TidemarkError('failed_precondition', `the folder of the log has ${first}: it must be empty`);
  }
  const control = made.filter(({ topic }) => topic === 'control');
  if (control.length === 0) throw new TidemarkError('failed_precondition', 'the list of partitions has no control');
  const most = made.find(({ remade }) => remade >= MOST_REMADE);
  if (most !== undefined) {
    const text = `log/${most.topic}/${most.partition} was lost ${most.remade} times (limit: ${MOST_REMADE})`;
    throw new TidemarkError('failed_precondition', `${text}: begin with another data folder`);
  }
  await claimFormat(disk);
  await list(disk, control);
  const log = await openEmbeddedLog({ ...options, partitions: { control: 1 } });
  try {
    await fillControl(log);
  } finally {
    await log.close();
  }
  const others = made.filter(({ topic }) => topic !== 'control');
  const listed = await list(disk, others);
  const partitions = Object.fromEntries(TOPICS.map((topic) => [topic, listed.count(topic)]));
  // Their loss is known, and is not to be found again by the first start.
  await (await openEmbeddedLog({ ...options, partitions })).close();
}

async function list(disk: Disk, partitions: readonly MadePartition[]): Promise<PartitionList> {
  const file = await PartitionList.open(disk);
  for (const { topic, partition, ...listed } of partitions) file.note(topic, partition, listed);
  await file.save();
  return file;
}
