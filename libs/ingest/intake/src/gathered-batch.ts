import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, orderSketches, PointColumns, type PointSorter, SketchColumns } from '@tidemark/columns';
import { dayOf } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import { POINT_BYTES, SKETCH_BYTES } from './request-limits.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

/** A batch's part of one partition, encoded, with what a lane has to know of it. */
export interface GatheredShare {
  readonly partition: number;
  readonly dictionary: ClientDictionary;
  readonly share: Buffer;
  readonly points: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly maxRef: number;
  readonly facts: readonly TagRecordEntry[];
}

/** What became of a batch: durable in all its partitions, or else those that could not say so. */
export type BatchOutcome = (notStored: ReadonlySet<number>) => void;

/** Points of one or several requests of a tenant, by partition, on their way into the lanes as one batch. */
export class GatheredBatch {
  readonly #parts: (PartitionPart | undefined)[] = [];
  readonly #spares: SpareParts;
  /** Whom to tell. */
  readonly waiting: BatchOutcome[] = [];
  points = 0;
  bytes = 0;

  constructor(spares: SpareParts) {
    this.#spares = spares;
  }

  get isEmpty(): boolean {
    return this.points === 0;
  }

  /** The columns of a partition; who adds to them counts with `count`. */
  part(partition: number): PartitionPart {
    let part = this.#parts[partition];
    if (part === undefined) {
      part = this.#spares.take();
      this.#parts[partition] = part;
    }
    return part;
  }

  count(points: number, sketches: number, payloadBytes: number): void {
    this.points += points + sketches;
    this.bytes += points * POINT_BYTES + sketches * SKETCH_BYTES + payloadBytes;
  }

  /** Encodes each partition's share, and lists the tags that have to be published before it; once. */
  encode(dictionaryOf: (partition: number) => ClientDictionary, sorter: PointSorter): GatheredShare[] {
    const shares: GatheredShare[] = [];
    this.#parts.forEach((part, partition) => {
      if (part === undefined) return;
      shares.push(encodePart(partition, part, dictionaryOf(partition), sorter));
      this.#spares.giveBack(part);
    });
    this.#parts.length = 0;
    return shares;
  }
}

interface PartitionPart {
  readonly points: PointColumns;
  readonly sketches: SketchColumns;
}

/** Columns to use again: fresh memory costs more than filling it. */
export class SpareParts {
  readonly #parts: PartitionPart[] = [];
  #capacity = 0;

  take(): PartitionPart {
    const part = this.#parts.pop();
    if (part === undefined) return { points: new PointColumns(), sketches: new SketchColumns(0) };
    this.#capacity -= part.points.refs.length;
    return part;
  }

  giveBack(part: PartitionPart): void {
    const capacity = part.points.refs.length;
    if (this.#capacity + capacity > SPARE_POINTS) return;
    part.points.clear();
    part.sketches.clear();
    this.#capacity += capacity;
    this.#parts.push(part);
  }
}

/** Points that spare columns have room for, 20 bytes each. */
const SPARE_POINTS = 1_000_000;

const out = new ByteWriter(64 * 1024);
const NO_FACTS: readonly TagRecordEntry[] = [];

function encodePart(
  partition: number,
  part: PartitionPart,
  dictionary: ClientDictionary,
  sorter: PointSorter,
): GatheredShare {
  const points = sorter.sort(part.points);
  const sketches = orderSketches(part.sketches);
  const range = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
  for (const { timesMs, length } of [points, sketches]) widen(range, timesMs, length);
  const maxRef = Math.max(lastRef(points), lastRef(sketches));
  encodeShare(points, sketches.length > 0 ? sketches : undefined, out);
  return {
    partition,
    dictionary,
    share: out.take(),
    points: points.length + sketches.length,
    ...range,
    maxRef,
    facts: factsOf(dictionary, points, sketches, range, maxRef),
  };
}

function widen(range: { minTimeMs: number; maxTimeMs: number }, timesMs: Float64Array, length: number): void {
  let { minTimeMs, maxTimeMs } = range;
  for (let i = 0; i < length; i++) {
    if (timesMs[i] < minTimeMs) minTimeMs = timesMs[i];
    if (timesMs[i] > maxTimeMs) maxTimeMs = timesMs[i];
  }
  range.minTimeMs = minTimeMs;
  range.maxTimeMs = maxTimeMs;
}

function lastRef({ refs, length }: PointColumns | SketchColumns): number {
  return length === 0 ? -1 : refs[length - 1];
}

/** The (series, day) pairs that are not published yet; points are in order of ref. */
function factsOf(
  dictionary: ClientDictionary,
  points: PointColumns,
  sketches: SketchColumns,
  { minTimeMs, maxTimeMs }: { minTimeMs: number; maxTimeMs: number },
  maxRef: number,
): readonly TagRecordEntry[] {
  const firstDay = dayOf(minTimeMs);
  const lastDay = dayOf(maxTimeMs);
  if (firstDay === lastDay && dictionary.isPublishedThrough(firstDay, maxRef)) return NO_FACTS;
  const facts: TagRecordEntry[] = [];
  const days = new Set<number>();
  for (const { refs, timesMs, length } of [points, sketches]) {
    let last = -1;
    for (let i = 0; i < length; i++) {
      const ref = refs[i];
      const day = firstDay === lastDay ? firstDay : dayOf(timesMs[i]);
      if (ref !== last) days.clear();
      last = ref;
      if (days.has(day) || dictionary.isPublished(day, ref)) continue;
      days.add(day);
      facts.push({ dictionary, ref, day });
    }
  }
  return facts;
}
