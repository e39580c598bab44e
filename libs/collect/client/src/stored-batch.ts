import { inspectShare } from '@tidemark/columns';
import { Batch } from '@tidemark/contract';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { RawBatch } from './raw-batch.ts';
import type { SessionSpool } from './session-spool.ts';
import type { Place } from './spool-file.ts';

/** Reads a batch without a stamp back; points of series beyond `knownSeries` are left out. Errors: as `readStamped`. */
export async function readWaiting(spool: SessionSpool, place: Place, knownSeries: number): Promise<RawBatch> {
  const record = await spool.read(place);
  if (record.type !== 'waiting') throw unreadable(place, `a ${record.type} record`);
  return decoded(place, () => RawBatch.decode(record.batch.share, knownSeries));
}

/** Reads a stamped batch back. Errors: `data_loss`, and the disk's. */
export async function readStamped(spool: SessionSpool, place: Place): Promise<Batch> {
  const record = await spool.read(place);
  if (record.type !== 'stamped') throw unreadable(place, `a ${record.type} record`);
  return decoded(place, () => Batch.decode(record.batch.batch));
}

/** True when every ref of the batch can be defined; `refs` counts those of each partition. Errors: `data_loss`. */
export function isDefined(batch: Batch, refs: ReadonlyMap<number, number>): boolean {
  return batch.shares.every(({ partition, points }) => inspectShare(points).maxRef < (refs.get(partition) ?? 0));
}

function decoded<T>(place: Place, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (isTidemarkError(error)) throw error;
    // The generated decoder throws errors of its own.
    throw unreadable(place, String(error));
  }
}

function unreadable(place: Place, found: string): TidemarkError {
  const { path, position } = place;
  return new TidemarkError('data_loss', `spool ${path}: ${found} at byte ${position}`, { path, position });
}
