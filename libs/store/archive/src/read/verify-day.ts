import { WorkSlice } from '@tidemark/ports';
import { verifySegment } from '@tidemark/segment';
import type { ArchivedDay } from '../day-manifest.ts';
import { namesKey, segmentKey } from '../day-place.ts';
import { isOfDay } from '../list-days.ts';
import { NamesObject } from '../names/names-object.ts';
import { type ReadParts, segmentOf, sourceOf } from './day-objects.ts';

/**
 * Reads all objects of a generation, and compares them with their checksums and its manifest. Findings are reported to
 * `parts.onFinding`, one for each object. Errors: those of the store.
 */
export async function verifyDay(parts: ReadParts, day: ArchivedDay): Promise<void> {
  const slice = new WorkSlice(undefined, parts.signal);
  for (const part of day.segments.keys()) {
    await reported(parts, segmentKey(day, part), async () => verifySegment(await segmentOf(parts, day, part), slice));
  }
  await reported(parts, namesKey(day), async () => {
    const { namesBytes: bytes, namesCrc32c: crc32c } = day;
    const names = await NamesObject.open(await sourceOf(parts, namesKey(day), { bytes, crc32c }));
    for await (const _ of names.read()) if (slice.spend(1)) await slice.next();
  });
}

async function reported({ onFinding }: ReadParts, key: string, task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    if (!isOfDay(error)) throw error;
    onFinding({ key, error });
  }
}
