import { crc32c } from '@tidemark/bytes';
import type { DiskFile } from '@tidemark/ports';
import { FileWindow, type FoundRecord, readAt } from './file-window.ts';
import { newProducerState, type ProducerState, type ProducerTable } from './producer-table.ts';
import { RECORD_HEADER_BYTES, type RecordHeader } from './record-format.ts';
import { SparseIndex } from './sparse-index.ts';
import { looksTorn } from './torn-write.ts';

const VERIFY_BYTES = 4 * 2 ** 20;

/** The segment to recover, and what its sync mark proves. */
export interface RecoveredFrom {
  readonly base: number;
  readonly salt: number;
  readonly headerBytes: number;
  /** Every record below this offset was durable once; 0 when no mark was found. */
  readonly syncedNext: number;
}

/** The recovered state of a partition's last segment. */
export interface RecoveredSegment {
  /** Offset after the last record that was found. */
  readonly end: number;
  /**
   * Offset that the next record gets. It is above `end` when records at the end of the segment may have been durable and
   * can't be found any more: the next record then begins a segment, and nothing in this one is overwritten.
   */
  readonly next: number;
  /** End of the last record that was found. */
  readonly sizeBytes: number;
  readonly index: SparseIndex;
}

interface Place {
  readonly position: number;
  readonly offset: number;
}

/** The place after the last record that was found. */
interface Walk extends Place {
  /** True when the file ends within the record at this place. */
  readonly isShort: boolean;
  /** The records since the last place that is known to have been durable. */
  readonly group: readonly FoundRecord[];
}

/**
 * Finds the end of the last segment, cuts off a torn write behind it, makes the rest durable, and updates `producers`.
 *
 * Records below `syncedNext`, and groups that a later group follows, were durable once: where they are damaged they stay,
 * and reads of them answer `data_loss`. Only the last group behind that can be torn. It is cut at its first damaged record
 * when its bytes show a torn write; otherwise it stays, too, because it may have been acknowledged.
 *
 * A group without a mark is written again, because a process that was killed after a failed fsync leaves pages in memory
 * that look written and are not on the disk (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC
 * 2020).
 */
export async function recoverSegment(
  file: DiskFile,
  from: RecoveredFrom,
  producers: ProducerTable,
): Promise<RecoveredSegment> {
  const fileBytes = await file.sizeBytes();
  const index = new SparseIndex(from.base, from.headerBytes);
  const settle = (records: readonly FoundRecord[]): void => {
    for (const { header, position } of records) {
      producers.touch(stateAfter(header, producers.find(header.producer)));
      index.note(header.offset, position);
    }
  };
  const walk = await walkRecords(file, from, fileBytes, settle);
  const isProven = walk.offset <= from.syncedNext;
  if (isProven) settle(walk.group);
  if (walk.offset < from.syncedNext) return finish(file, { ...walk, next: from.syncedNext, fileBytes, index });
  const group = isProven ? [] : walk.group;
  const damaged = (await firstDamaged(file, group)) ?? rest(walk, fileBytes);
  if (damaged === undefined || walk.isShort || (await looksTorn(file, damaged.position, fileBytes))) {
    const end = damaged ?? walk;
    settle(group.filter(({ header }) => header.offset < end.offset));
    if (group.length > 0) await rewrite(file, group[0].position, end.position);
    return finish(file, { ...end, next: end.offset, fileBytes, index });
  }
  // The group may have been acknowledged: every record of it that can be found counts. The sizes of those behind are
  // unknown: at least a header each.
  const all = await walkRecords(file, { ...from, syncedNext: Number.MAX_SAFE_INTEGER }, fileBytes, settle);
  settle(all.group);
  await rewrite(file, group[0]?.position ?? damaged.position, all.position);
  const unknown = Math.floor((fileBytes - all.position) / RECORD_HEADER_BYTES);
  return finish(file, { ...all, next: all.offset + unknown, fileBytes, index });
}

/** Walks from record to record, past damage that was durable once. */
async function walkRecords(
  file: DiskFile,
  { base, salt, headerBytes, syncedNext }: RecoveredFrom,
  fileBytes: number,
  settle: (records: readonly FoundRecord[]) => void,
): Promise<Walk> {
  const window = new FileWindow(file, salt);
  let group: FoundRecord[] = [];
  let position = headerBytes;
  let offset = base;
  while (true) {
    let header = await window.header(position);
    if (header === undefined || header.offset !== offset || endOf(position, header) > fileBytes) {
      const lost = offset;
      const found = await window.search(
        position,
        (other) => other.offset > lost && (other.offset < syncedNext || other.offset - other.place > lost),
      );
      if (found === undefined) return { position, offset, group, isShort: header?.offset === offset };
      // What lies before a later group was durable once, even if that group itself was not.
      header = found.header;
      position = found.position;
      settle(group);
      group = [];
      if (endOf(position, header) > fileBytes) return { position, offset: header.offset, group, isShort: true };
    } else if (header.place === 0) {
      settle(group);
      group = [];
    }
    group.push({ position, header: { ...header, producer: Uint8Array.from(header.producer) } });
    position = endOf(position, header);
    offset = header.offset + 1;
  }
}

/** The place behind the walk when bytes are left there. */
function rest({ position, offset }: Walk, fileBytes: number): Place | undefined {
  return position < fileBytes ? { position, offset } : undefined;
}

/** Cuts the file where nothing behind its records may have been durable, and makes it durable. */
async function finish(
  file: DiskFile,
  found: Place & { readonly next: number; readonly fileBytes: number; readonly index: SparseIndex },
): Promise<RecoveredSegment> {
  const { position: sizeBytes, offset: end, next, fileBytes, index } = found;
  if (sizeBytes < fileBytes && next === end) await file.truncate(sizeBytes);
  await file.sync();
  return { end, next, sizeBytes, index };
}

function endOf(position: number, header: RecordHeader): number {
  return position + RECORD_HEADER_BYTES + header.valueBytes;
}

function stateAfter(header: RecordHeader, known: ProducerState | undefined): ProducerState {
  const state = known ?? newProducerState(header.producer);
  state.sequence = header.sequence;
  state.offset = header.offset;
  state.appendTimeMs = header.appendTimeMs;
  state.valueCrc = header.valueCrc;
  state.valueBytes = header.valueBytes;
  return state;
}

/** The first record whose value is damaged. */
async function firstDamaged(file: DiskFile, group: readonly FoundRecord[]): Promise<Place | undefined> {
  for (const { position, header } of group) {
    let crc = 0;
    for (let at = 0; at < header.valueBytes; at += VERIFY_BYTES) {
      const bytes = Math.min(VERIFY_BYTES, header.valueBytes - at);
      crc = crc32c(await readAt(file, position + RECORD_HEADER_BYTES + at, bytes), crc);
    }
    if (crc !== header.valueCrc) return { position, offset: header.offset };
  }
  return undefined;
}

async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += VERIFY_BYTES) {
    await file.write(await readAt(file, at, Math.min(VERIFY_BYTES, to - at)), at);
  }
}
