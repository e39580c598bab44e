import { join } from 'node:path';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import type { ProcessHealth } from '@tidemark/health';
import { LocalDisk, openFilesLimit, refuseUnfinishedRestore } from '@tidemark/node-runtime';
import { asTidemarkError, type Clock, type Events, type Random, type Topic } from '@tidemark/ports';
import type { Started } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';
import { type AssembledStores, assembleStores } from '../parts/assemble-stores.ts';
import { LogFloors, type LostRecords } from '../parts/log-floors.ts';
import { LogTrimmer } from '../parts/log-trimmer.ts';
import { openFilesPerDatabase, requireOpenFiles } from '../parts/open-files.ts';
import type { StartProgress } from '../parts/start-progress.ts';

/** Part of `log.maxBytes` at which snapshots are made at once: what comes while they are made has to fit in the rest. */
const NEAR_LIMIT = 0.25;

interface Ports {
  readonly folder: string;
  /** Names the process, for operators. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly health: ProcessHealth;
  readonly started: Pick<Started, 'add'>;
  readonly progress: Pick<StartProgress, 'next'>;
}

interface OpenedStores extends AssembledStores {
  readonly log: EmbeddedLog;
  readonly ready: () => Promise<LostRecords[]>;
}

/**
 * Opens the embedded log and the stores of all its partitions; the log is trimmed below the commits of each store. `ready`
 * resolves when the stores are open and no record can get an offset that a store has read; only then the stores begin to read,
 * and points and tags may be appended.
 */
export async function openLogAndStores(
  { folder, name, clock, random, events, health, started, progress }: Ports,
  settings: Settings,
): Promise<OpenedStores> {
  const { partitions } = settings.data;
  const logFolder = join(folder, 'log');
  // A point store and a tag store of each partition; the log also has one of `control`.
  const plan = { databases: 2 * partitions, logPartitions: 2 * partitions + 1 };
  const limit = await openFilesLimit();
  requireOpenFiles(limit, plan);
  const log = await openEmbeddedLog({
    disk: new LocalDisk(logFolder),
    clock,
    random,
    partitions: { points: partitions, tags: partitions, control: 1, windows: 0 },
    limits: settings.log,
  });
  started.add(() => log.close());
  // A restore may have begun before the log was locked.
  refuseUnfinishedRestore(folder);
  const trimmer = new LogTrimmer(log);
  const floors = new LogFloors(log);
  const onTrimmable = (topic: Topic, partition: number, offset: number): void => {
    const part = `${topic}/${partition}`;
    trimmer.committed(topic, partition, offset).then(
      () => health.report('trim', part, undefined),
      (error: unknown) => health.report('trim', part, asTidemarkError(error)),
    );
  };
  let opened = 0;
  const { stores, ...more } = assembleStores(
    {
      ...{ folder, name, clock, random, events, health, started, onTrimmable },
      isLogNearLimit: () => log.storedBytes > NEAR_LIMIT * settings.log.maxBytes,
      onOpened: (...store) => {
        opened++;
        floors.opened(...store);
      },
      log: { kind: 'embedded', folder: logFolder, partitions },
      kinds: ['points', 'tags'],
      owned: Array.from({ length: partitions }, (_, partition) => partition),
      openFiles: openFilesPerDatabase(limit, plan),
    },
    settings,
  );
  log.onAppend((...progress) => stores.progress(...progress));
  const ready = async (): Promise<LostRecords[]> => {
    progress.next(() => `opening databases: ${opened} of ${plan.databases} are open`);
    await stores.ready();
    progress.next(() => 'comparing the log with the databases');
    const lost = await floors.raise();
    for (const { message } of lost) events.error(`the log lost records: ${message}`);
    stores.start();
    return lost;
  };
  return { log, stores, ...more, ready };
}
