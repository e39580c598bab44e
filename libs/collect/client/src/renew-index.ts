import type { IndexState } from './index-state.ts';
import type { DataFileKind } from './spool-format.ts';

/** Points of the batches that a data file has a record of, by batch number. */
export interface FoundBatches {
  readonly kind: DataFileKind;
  readonly batches: ReadonlyMap<number, number>;
}

/** The files of a session's folder, by number. */
export interface FoundFiles {
  /** Sizes of the data files of the session. */
  readonly sizes: ReadonlyMap<number, number>;
  /** Sizes of files of another session, or of no kind that has data. */
  readonly otherSizes: ReadonlyMap<number, number>;
  /** What was found in the data files. */
  readonly batches: ReadonlyMap<number, FoundBatches>;
}

/** What the index knew. */
export interface RenewedIndex {
  /** Bytes that the index lists, and no file has. */
  readonly missingBytes: number;
  /** The numbers after all that it names. */
  readonly nextFile: number;
  readonly nextBatch: number;
}

/** Makes the index of a session say which files there are, and what they have. recover-session.test.ts covers it. */
export function renewIndex(index: IndexState, { sizes, otherSizes, batches: found }: FoundFiles): RenewedIndex {
  let [missingBytes, nextFile, nextBatch] = [0, 0, 0];
  const missing: number[] = [];
  for (const [number, file] of index.files) {
    const sizeBytes = sizes.get(number) ?? 0;
    missingBytes += Math.max(0, file.endBytes - sizeBytes - (otherSizes.get(number) ?? 0));
    for (const batch of file.batches.keys()) nextBatch = Math.max(nextBatch, batch + 1);
    nextFile = Math.max(nextFile, number + 1);
    file.endBytes = sizeBytes;
    if (!sizes.has(number)) missing.push(number);
  }
  for (const [number, { kind, batches }] of found) {
    index.add(number, kind, sizes.get(number) ?? 0, [...batches.keys()], [...batches.values()]);
    nextFile = Math.max(nextFile, number + 1);
  }
  index.apply({ type: 'removed', files: missing });
  return { missingBytes, nextFile, nextBatch };
}
