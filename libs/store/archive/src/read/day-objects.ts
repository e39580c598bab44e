import { type ObjectStore, TidemarkError } from '@tidemark/ports';
import { DEFAULT_SEGMENT_LIMITS, objectSource, Segment, type SegmentSource } from '@tidemark/segment';
import type { ArchivedDay } from '../day-manifest.ts';
import { segmentKey } from '../day-place.ts';
import type { DayFinding } from '../list-days.ts';

/** Memory of a plan: a reader has one of each generation of a day. A group alone may take more. */
const LIMITS = { ...DEFAULT_SEGMENT_LIMITS, planBytes: 4 * 2 ** 20 };

export interface ReadParts {
  readonly objects: Pick<ObjectStore, 'head' | 'getRange'>;
  /** Informed of objects that can't be read: their points are left out. */
  readonly onFinding: (finding: DayFinding) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a segment. Errors: those of the store, and `data_loss` where it is not what its manifest says. */
export async function segmentOf(parts: Omit<ReadParts, 'onFinding'>, day: ArchivedDay, part: number): Promise<Segment> {
  return Segment.open(await sourceOf(parts, segmentKey(day, part), day.segments[part]), LIMITS);
}

/** Opens an object that must be as its manifest says. */
export async function sourceOf(
  { objects, signal }: Omit<ReadParts, 'onFinding'>,
  key: string,
  { bytes, crc32c }: { readonly bytes: number; readonly crc32c: number },
): Promise<SegmentSource> {
  const options = signal === undefined ? {} : { signal };
  const info = await objects.head(key, options);
  if (info.sizeBytes !== bytes || info.crc32c !== crc32c) {
    const found = `${info.sizeBytes} bytes with the CRC-32C ${info.crc32c}`;
    const text = `object ${key}: ${found} (expected: ${bytes} with ${crc32c}, by its manifest): restore it from a copy`;
    throw new TidemarkError('data_loss', text, { key });
  }
  return objectSource(objects, info, options);
}
