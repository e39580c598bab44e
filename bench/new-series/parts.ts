import { join } from 'node:path';
import { IdHash } from '@tidemark/bytes';
import { ControlFollower, ControlWriter } from '@tidemark/control-log';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING, IntakeSession, sessionClock } from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS, evenMap, packSlots } from '@tidemark/model';
import { LocalDisk, SystemClock, SystemRandom, yieldTurn } from '@tidemark/node-runtime';
import { openRocksDb } from '@tidemark/rocksdb';
import { TagPartition } from '@tidemark/tag-store';

export const clock = new SystemClock();
export const random = new SystemRandom();

export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens an intake of one partition over the embedded log in a folder, and the partition's tag store. */
export async function openParts(folder: string) {
  const partitions = { points: 1, tags: 1, control: 1 };
  const log = await openEmbeddedLog({ clock, disk: new LocalDisk(join(folder, 'log')), random, partitions });
  const { slots, epoch } = evenMap(1);
  const writer = new ControlWriter(log, clock);
  await writer.append({ $case: 'term', value: { term: 1, process: 'bench' } });
  const map = { epoch, partitions: 1, slots: packSlots({ epoch, partitions: 1, slots }) };
  await writer.append({ $case: 'map', value: { term: 1, expectedEpoch: 0, map } });
  const control = new ControlFollower(log, clock);
  await control.start();
  const session = new IntakeSession({
    ...{ log, control, clock, acceptClock: sessionClock(clock), random, process: 'bench' },
    limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS },
    timing: DEFAULT_LANE_TIMING,
    knownSeries: async (_partition, _tenant, ids) => ids.map(() => false),
  });
  await session.start();
  const keyValue = await openRocksDb(join(folder, 'tags'));
  const slicing = { clock, yieldTurn };
  const tags = await TagPartition.open({ keyValue, slicing, idHash: new IdHash(random.bytes(16)) });
  return { log, session, tags, keyValue };
}
