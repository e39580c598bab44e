import { Checkpoint } from '@tidemark/contract';

/** Max bytes of one part, far below the smallest limit of a log's record. One entry alone is never larger. */
const PART_BYTES = 512 * 1024;

/** Fields whose entries are spread over parts. The times of maps go with their maps. */
const LISTS = [
  'maps',
  'sessions',
  'fences',
  'deadLanes',
  'skips',
  'overBudget',
  'keys',
  'eras',
  'lost',
  'halts',
] as const;

/** Splits a checkpoint into records of at most `partBytes`, to append in this order. One that is small enough stays whole. */
export function splitCheckpoint(checkpoint: Checkpoint, partBytes = PART_BYTES): Checkpoint[] {
  const { term, offset, termOffset, throughMs, keysRevoked } = checkpoint;
  const begin = (part: number): Checkpoint => {
    return Checkpoint.create({ term, offset, termOffset, throughMs, keysRevoked, part });
  };
  const empty = begin(0);
  const emptyBytes = sizeOf(empty);
  const headBytes = sizeOf({ ...empty, part: 1, parts: 1 });
  const parts: Checkpoint[] = [begin(0)];
  let sizeBytes = headBytes;
  const place = (entryBytes: number, add: (part: Checkpoint) => void): void => {
    if (sizeBytes + entryBytes > partBytes && sizeBytes > headBytes) {
      parts.push(begin(parts.length));
      sizeBytes = headBytes;
    }
    sizeBytes += entryBytes;
    add(parts[parts.length - 1]);
  };
  for (const list of LISTS) {
    checkpoint[list].forEach((entry, i) => {
      const times = list === 'maps' ? checkpoint.mapsInForceMs.slice(i, i + 1) : [];
      const one = { ...empty, [list]: [entry], mapsInForceMs: times };
      place(sizeOf(one) - emptyBytes, (part) => {
        (part[list] as object[]).push(entry);
        part.mapsInForceMs.push(...times);
      });
    });
  }
  if (parts.length === 1) return [checkpoint];
  return parts.map((part) => ({ ...part, parts: parts.length }));
}

/** Combines all parts of a checkpoint. */
export function joinCheckpoint(parts: readonly Checkpoint[]): Checkpoint {
  const whole = { ...parts[0], mapsInForceMs: parts.flatMap(({ mapsInForceMs }) => mapsInForceMs) };
  for (const list of LISTS) whole[list] = parts.flatMap((one): object[] => one[list]) as never;
  return whole;
}

function sizeOf(checkpoint: Checkpoint): number {
  return Checkpoint.encode(checkpoint).finish().length;
}
