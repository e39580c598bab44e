import type { ObjectInfo, ObjectOptions, ObjectStore } from '@tidemark/ports';
import type { SegmentSource } from './read-ranges.ts';

/** A segment that is an object. Reads fail with `failed_precondition` if another object took its key. */
export function objectSource(
  objects: Pick<ObjectStore, 'getRange'>,
  { key, sizeBytes, version }: Pick<ObjectInfo, 'key' | 'sizeBytes' | 'version'>,
  { signal }: ObjectOptions = {},
): SegmentSource {
  return {
    sizeBytes,
    readRange: (offset, length) => objects.getRange(key, { offset, length }, { version, signal }),
  };
}
