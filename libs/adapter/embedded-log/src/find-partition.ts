import { type Disk, type DiskFile, isTidemarkError, type Random, TidemarkError, type Topic } from '@tidemark/ports';
import { listSegments } from './partition-files.ts';
import type { ListedPartition } from './partition-list.ts';
import type { ProducerTable } from './producer-table.ts';
import { RECORD_HEADER_BYTES } from './record-format.ts';
import { recoverSegment } from './recovery.ts';
import { salvageStart } from './salvage.ts';
import { readSegmentHeader } from './segment-file.ts';
import {
  DRAFT_SUFFIX,
  LOG_ID_BYTES,
  nextAfterLoss,
  partitionFolder,
  remadeOf,
  type SegmentHeader,
  segmentName,
} from './segment-format.ts';
import { type ActiveSegment, createSegment } from './segment-writer.ts';
import { type SyncMark, SyncMarks } from './sync-mark.ts';

const TWO_POW_32 = 2 ** 32;

export interface FindOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly topic: Topic;
  readonly partition: number;
  /** What the list of partitions has of it; undefined for one that is new, or was never listed. */
  readonly listed: ListedPartition | undefined;
  /** Gets the producers of the records that are found. */
  readonly producers: ProducerTable;
}

export interface OffsetRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Set where the whole folder is gone, so that nothing says how many records it had. */
  readonly isFolderGone?: true;
}

/** A partition as its folder has it. */
export interface FoundPartition {
  readonly marks: SyncMarks;
  /** The newest mark, if there is one. */
  readonly mark: SyncMark | undefined;
  readonly id: Uint8Array;
  /** As of `ListedPartition`. */
  readonly remade: number;
  readonly first: number;
  /** Offset that the next record gets. */
  readonly next: number;
  /** Bytes of each segment by its base, ascending. */
  readonly sizes: ReadonlyMap<number, number>;
  /** Offsets that no file was found for: those that were not trimmed before the first one, and those behind the last. */
  readonly lost: readonly OffsetRange[];
  /** The last segment, if it takes further records. */
  readonly active: ActiveSegment | undefined;
}

/** What the last segment has. */
interface FoundEnd {
  readonly id: Uint8Array;
  /** Offset after the last record that was found. */
  readonly end: number;
  readonly next: number;
  readonly active?: ActiveSegment;
}

/**
 * Recovers a partition from its folder: finds its segments and the end of the last one. Damage is not an error, nor is a
 * folder that is gone: what it had is lost then. Errors: `failed_precondition` (the folder is one of another log), the disk's.
 * Covered by the tests of the log: crash.test.ts, damage.test.ts, gone-folder.test.ts, embedded-log.test.ts.
 */
export async function findPartition(options: FindOptions): Promise<FoundPartition> {
  const { disk, topic, partition, listed } = options;
  const folder = partitionFolder(topic, partition);
  for (const name of await disk.list(folder)) {
    if (name.endsWith(DRAFT_SUFFIX)) await disk.remove(`${folder}/${name}`);
  }
  const marks = await SyncMarks.open(disk, topic, partition);
  try {
    const gone = marks.found === undefined ? await goneMark(options) : undefined;
    if (gone !== undefined) await claimGone(marks, gone, folder);
    const mark = marks.found ?? gone;
    const found = await new PartitionFolder(options, mark).find();
    if (listed !== undefined && Buffer.compare(found.id, listed.id) !== 0) throw ofAnotherLog(folder);
    const remade = gone === undefined ? (listed?.remade ?? 0) : remadeOf(gone.next);
    const lost = gone === undefined ? found.lost : [{ from: 0, to: gone.next, isFolderGone: true as const }];
    return { marks, mark, remade, ...found, lost };
  } catch (error) {
    await marks.close();
    throw error;
  }
}

/** The mark of a listed partition whose folder has neither a mark nor a segment: all records that it may have had are lost. */
async function goneMark({ disk, topic, partition, listed }: FindOptions): Promise<SyncMark | undefined> {
  if (listed === undefined || (await listSegments(disk, topic, partition)).length > 0) return undefined;
  const next = nextAfterLoss(listed.remade);
  return { id: listed.id, next, first: 0, base: 0, salt: 0, headerBytes: 0, sizeBytes: 0 };
}

/**
 * Makes the loss of a folder durable before a segment is made: otherwise a crash would leave a partition that looks as if
 * it never had a record.
 */
async function claimGone(marks: SyncMarks, mark: SyncMark, folder: string): Promise<void> {
  if (!(await marks.write(mark))) {
    throw new TidemarkError('unavailable', `log/${folder} is gone, and what was in it can't be marked as lost`, {
      folder,
    });
  }
  await marks.sync();
}

function ofAnotherLog(folder: string): TidemarkError {
  const found = `log/${folder} is the folder of another log, by the id in its files`;
  const message = `${found}: put back the one that belongs here, or remove it, so that its records count as lost`;
  return new TidemarkError('failed_precondition', message, { folder });
}

class PartitionFolder {
  readonly #options: FindOptions;
  readonly #mark: SyncMark | undefined;
  #bases: number[] = [];

  constructor(options: FindOptions, mark: SyncMark | undefined) {
    this.#options = options;
    this.#mark = mark;
  }

  async find(): Promise<Omit<FoundPartition, 'marks' | 'mark' | 'remade'>> {
    const { disk, random, topic, partition, listed } = this.#options;
    const mark = this.#mark;
    this.#bases = await listSegments(disk, topic, partition);
    const lostStart = mark === undefined ? undefined : await this.#fillStart(mark);
    const next = mark?.next ?? 0;
    const first = this.#bases[0] ?? next;
    const knownId = mark?.id ?? (await this.#idOfHeads()) ?? listed?.id;
    const last = this.#bases.at(-1);
    const sizes = new Map<number, number>();
    for (const base of this.#bases.slice(0, -1)) sizes.set(base, await this.#sizeOf(base));
    const empty: FoundEnd = { id: knownId ?? random.bytes(LOG_ID_BYTES), end: 0, next };
    const found = last === undefined ? empty : await this.#openLast(last, empty, sizes);
    const lostEnd = found.end < found.next ? { from: found.end, to: found.next } : undefined;
    const lost = [lostStart, lostEnd].filter((range) => range !== undefined);
    return { id: found.id, first, next: found.next, sizes, lost, active: found.active };
  }

  /**
   * Creates an empty segment for records that were not trimmed and are gone from the beginning: reads of them are
   * `data_loss`, like those of other records that are gone, and a skip passes them. Without space for it they count as
   * trimmed. Returns these records, if there are later ones.
   */
  async #fillStart({ first, next, id }: SyncMark): Promise<OffsetRange | undefined> {
    const [found = next] = this.#bases;
    if (first >= found) return undefined;
    const { disk, random, topic, partition } = this.#options;
    const lost = this.#bases.length > 0 ? { from: first, to: found } : undefined;
    const salt = Math.floor(random.next() * TWO_POW_32);
    try {
      const { file } = await createSegment(disk, { topic, partition, id, base: first, salt, producers: [] });
      await file.close();
      this.#bases.unshift(first);
    } catch (error) {
      if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    }
    return lost;
  }

  /** The id in the newest head that can be read. */
  async #idOfHeads(): Promise<Uint8Array | undefined> {
    for (const base of this.#bases.toReversed()) {
      const file = await this.#options.disk.open(this.#pathOf(base));
      try {
        const head = await this.#headOf(file, base);
        if (head !== undefined) return head.id;
      } finally {
        await file.close();
      }
    }
    return undefined;
  }

  /** The size of a segment that takes no more records. */
  async #sizeOf(base: number): Promise<number> {
    const file = await this.#options.disk.open(this.#pathOf(base));
    const sizeBytes = await file.sizeBytes();
    await file.close();
    return sizeBytes;
  }

  /** Recovers the last segment. Its file stays open where it takes further records. */
  async #openLast(base: number, known: FoundEnd, sizes: Map<number, number>): Promise<FoundEnd> {
    const file = await this.#options.disk.open(this.#pathOf(base));
    let found: FoundEnd;
    try {
      found = await this.#recoverLast(file, base, known);
      sizes.set(base, await file.sizeBytes());
    } catch (error) {
      await file.close();
      throw error;
    }
    if (found.active === undefined) await file.close();
    return found;
  }

  /** Finds the end of the last segment. It takes further records if it is whole up to its end. */
  async #recoverLast(file: DiskFile, base: number, known: FoundEnd): Promise<FoundEnd> {
    const { producers } = this.#options;
    const mark = this.#mark;
    const head = await this.#headOf(file, base);
    const id = head?.id ?? known.id;
    for (const state of head?.producers ?? []) producers.touch(state);
    const isOfMark = mark !== undefined && Buffer.compare(mark.id, id) === 0;
    const start = head ?? (isOfMark && mark.base === base ? mark : await salvageStart(file, base));
    if (start === undefined) {
      // No record of the segment can be verified. It may hold as many as its size allows.
      const most = base + Math.floor((await file.sizeBytes()) / RECORD_HEADER_BYTES);
      return { id, end: base, next: Math.max(known.next, most) };
    }
    const { salt, headerBytes } = start;
    const syncedNext = isOfMark ? mark.next : 0;
    const found = await recoverSegment(file, { base, salt, headerBytes, syncedNext }, producers);
    const { end, next, index, sizeBytes } = found;
    if (head === undefined || next !== end) return { id, end, next };
    return { id, end, next, active: { base, salt, headerBytes, file, index, sizeBytes } };
  }

  /** The head of a segment; undefined when it is damaged. */
  async #headOf(file: DiskFile, base: number): Promise<(SegmentHeader & { readonly headerBytes: number }) | undefined> {
    const { topic, partition } = this.#options;
    try {
      const head = await readSegmentHeader(file, this.#pathOf(base));
      if (head.base === base && head.topic === topic && head.partition === partition) return head;
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
    }
    return undefined;
  }

  #pathOf(base: number): string {
    return `${partitionFolder(this.#options.topic, this.#options.partition)}/${segmentName(base)}`;
  }
}
