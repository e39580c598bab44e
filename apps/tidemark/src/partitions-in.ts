import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '@tidemark/ports';

/** What has a folder for each partition, in the order in which a first start creates them. */
const PARTS = ['log/points', 'log/tags', 'points', 'tags'] as const;

/**
 * Returns the number of partitions of a data folder; undefined for a folder without any. A partition that has lost its log
 * or its database counts: the other one has what is needed to continue, or to halt it. Error: `failed_precondition` when it
 * has lost both, since it would begin again as an empty one, and answers would be too small without saying so.
 */
export function partitionsIn(folder: string): number | undefined {
  const found = PARTS.map((part) => ({ part, numbers: numbersIn(join(folder, part)) }));
  const partitions = Math.max(...found.flatMap(({ numbers }) => numbers)) + 1;
  if (!Number.isFinite(partitions)) return undefined;
  const inOrder = found.flatMap(({ part, numbers }) =>
    Array.from({ length: partitions }, (_, partition) => ({ part, partition, exists: numbers.includes(partition) })),
  );
  // A first start that was killed has made what is up to here, and nothing behind it.
  const last = inOrder.findLastIndex(({ exists }) => exists);
  for (const topic of ['points', 'tags'] as const) {
    for (let partition = 0; partition < partitions; partition++) {
      const log = inOrder.findIndex((one) => one.part === `log/${topic}` && one.partition === partition);
      const database = inOrder.find((one) => one.part === topic && one.partition === partition);
      if (log > last || inOrder[log].exists || database?.exists === true) continue;
      throw missing(folder, topic, partition, `${inOrder[last].part}/${inOrder[last].partition}`);
    }
  }
  return partitions;
}

function numbersIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function missing(folder: string, topic: 'points' | 'tags', partition: number, other: string): TidemarkError {
  const own = `${topic}/${partition}`;
  const content = topic === 'points' ? 'points' : 'names of series';
  return new TidemarkError(
    'failed_precondition',
    `log/${own} and ${own} are missing in ${folder}, but ${other} exists: the ${content} of the partition were in them. ` +
      'Restore both folders from a copy; to begin without them, start with another data folder',
    { file: `log/${own}`, topic, partition },
  );
}
