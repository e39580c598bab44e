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

/**
 * Splits a checkpoint into records of at most `partBytes`, for consecutive offsets from `checkpoint.offset` on. One that is
 * small enough stays whole.
 */
export function splitCheckpoint(checkpoint: Checkpoint, partBytes = PART_BYTES): Checkpoint[] {
  const { term, offset, termOffset, throughMs } = checkpoint;
  const empty = Checkpoint.create({ term, offset, termOffset, throughMs });
  const headBytes = sizeOf({ ...empty, part: 1, parts: 1 });
  const parts: Checkpoint[] = [Checkpoint.create({ term, offset, termOffset, throughMs })];
  let sizeBytes = headBytes;
  const place = (entryBytes: number, add: (part: Checkpoint) => void): void => {
    if (sizeBytes + entryBytes > partBytes && sizeBytes > headBytes) {
      parts.push(Checkpoint.create({ term, offset: offset + parts.length, termOffset, throughMs, part: parts.length }));
      sizeBytes = headBytes;
    }
    sizeBytes += entryBytes;
    add(parts[parts.length - 1]);
  };
  for (const list of LISTS) {
    checkpoint[list].forEach((entry, i) => {
      const times = list === 'maps' ? checkpoint.mapsInForceMs.slice(i, i + 1) : [];
      const one = { ...empty, [list]: [entry], mapsInForceMs: times };
      place(sizeOf(one) - sizeOf(empty), (part) => {
        (part[list] as object[]).push(entry);
        part.mapsInForceMs.push(...times);
      });
    });
  }
  if (parts.length === 1) return [checkpoint];
  return parts.map((part) => ({ ...part, parts: parts.length }));
}

/** Collects the parts of a checkpoint, which are records without another one in between. */
export class CheckpointParts {
  #parts: Checkpoint[] = [];

  /** Adds a part. Returns the whole checkpoint, with the offset of its first part, once it is complete. */
  add(part: Checkpoint): Checkpoint | undefined {
    const [first] = this.#parts;
    if (first !== undefined && !continues(first, this.#parts.length, part)) this.#parts = [];
    if (part.part !== this.#parts.length) return undefined;
    this.#parts.push(part);
    if (this.#parts.length < part.parts) return undefined;
    const whole = this.#parts[0];
    for (const list of LISTS) whole[list] = this.#parts.flatMap((one): object[] => one[list]) as never;
    whole.mapsInForceMs = this.#parts.flatMap(({ mapsInForceMs }) => mapsInForceMs);
    this.#parts = [];
    return whole;
  }

  /** Drops the parts so far: another record came in between. */
  clear(): void {
    if (this.#parts.length > 0) this.#parts = [];
  }
}

function continues(first: Checkpoint, collected: number, part: Checkpoint): boolean {
  return part.offset === first.offset + collected && part.term === first.term && part.parts === first.parts;
}

function sizeOf(checkpoint: Checkpoint): number {
  return Checkpoint.encode(checkpoint).finish().length;
}
