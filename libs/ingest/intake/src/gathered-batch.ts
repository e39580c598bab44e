import { ByteWriter } from '@tidemark/bytes';
import {
  encodeShare,
  orderSketches,
  PointColumns,
  type PointSorter,
  type ShareSummary,
  SketchColumns,
} from '@tidemark/columns';
import type { ClientDictionary } from './client-dictionary.ts';
import { POINT_BYTES, SKETCH_BYTES } from './request-limits.ts';
import type { TagRecordEntry } from './tag-publisher.ts';
import { unpublishedDays } from './unpublished-days.ts';

/** Encoded part of a batch for one partition, with the data that a lane needs to append it. */
export interface GatheredShare {
  readonly partition: number;
  readonly dictionary: ClientDictionary;
  readonly share: Buffer;
  readonly summary: ShareSummary;
  readonly entries: readonly TagRecordEntry[];
}

/** Receives the outcome of points: the partitions that may not have stored theirs, none if all are durable. */
export type BatchOutcome = (notStored: ReadonlySet<number>) => void;

/** Receiver of the outcome of some points of a batch. */
interface Receiver {
  readonly settled: BatchOutcome;
  /** The partitions of the points. */
  readonly partitions: readonly number[];
}

/**
 * Points of one or several requests of a tenant, by partition, on their way into the lanes as one batch.
 * request-intake.test.ts covers it.
 */
export class GatheredBatch {
  readonly #parts: (PartitionPart | undefined)[] = [];
  readonly #spares: SpareParts;
  readonly #receivers: Receiver[] = [];
  points = 0;
  bytes = 0;

  constructor(spares: SpareParts) {
    this.#spares = spares;
  }

  get isEmpty(): boolean {
    return this.points === 0;
  }

  /** Returns the columns of a partition. A caller that adds to them must call `count`. */
  part(partition: number): PartitionPart {
    let part = this.#parts[partition];
    if (part === undefined) {
      part = this.#spares.acquire();
      this.#parts[partition] = part;
    }
    return part;
  }

  count(points: number, sketches: number, payloadBytes: number): void {
    this.points += points + sketches;
    this.bytes += points * POINT_BYTES + sketches * SKETCH_BYTES + payloadBytes;
  }

  /** Adds a receiver of the outcome of the points that were added since the last call. */
  expect(settled: BatchOutcome): void {
    const partitions: number[] = [];
    this.#parts.forEach((part, partition) => {
      if (part === undefined) return;
      const length = part.points.length + part.sketches.length;
      if (length > part.expected) partitions.push(partition);
      part.expected = length;
    });
    this.#receivers.push({ settled, partitions });
  }

  /** Reports the outcome to each receiver, of its own partitions. Call it once. */
  settle(notStored: ReadonlySet<number>): void {
    for (const { settled, partitions } of this.#receivers) {
      const own = notStored.size === 0 ? [] : partitions.filter((partition) => notStored.has(partition));
      settled(new Set(own));
    }
  }

  /** Encodes each partition's share, and lists the tags that must be published before it. Call it once. */
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
  /** Number of points and sketches that have a receiver of their outcome. */
  expected: number;
}

/** Columns for reuse: new memory costs more than filling it. */
export class SpareParts {
  readonly #parts: PartitionPart[] = [];
  #capacity = 0;

  acquire(): PartitionPart {
    const part = this.#parts.pop();
    if (part === undefined) return { points: new PointColumns(), sketches: new SketchColumns(0), expected: 0 };
    this.#capacity -= part.points.refs.length;
    return part;
  }

  giveBack(part: PartitionPart): void {
    const capacity = part.points.refs.length;
    if (this.#capacity + capacity > SPARE_POINTS) return;
    part.points.clear();
    part.sketches.clear();
    part.expected = 0;
    this.#capacity += capacity;
    this.#parts.push(part);
  }
}

/** Max points for which spare columns have room, 20 bytes each. */
const SPARE_POINTS = 1_000_000;

const out = new ByteWriter(64 * 1024);

function encodePart(
  partition: number,
  part: PartitionPart,
  dictionary: ClientDictionary,
  sorter: PointSorter,
): GatheredShare {
  const points = sorter.sort(part.points);
  const sketches = orderSketches(part.sketches);
  const summary = encodeShare(points, sketches, out);
  const entries = unpublishedDays(dictionary, points, sketches, summary);
  return { partition, dictionary, share: out.take(), summary, entries };
}
