import { crc32c } from '@tidemark/bytes';
import type { DiskFile } from '@tidemark/ports';
import { FileWindow, readAt } from './file-window.ts';
import { newProducerState, type ProducerState, type ProducerTable } from './producer-table.ts';
import { RECORD_HEADER_BYTES, type RecordHeader } from './record-format.ts';
import type { SegmentHeader } from './segment-format.ts';
import { SparseIndex } from './sparse-index.ts';

const VERIFY_BYTES = 4 * 2 ** 20;

/** The recovered state of a partition's last segment. */
export interface RecoveredSegment {
  readonly next: number;
  readonly sizeBytes: number;
  /** Bytes behind the last whole record that were cut off. */
  readonly tornBytes: number;
  readonly index: SparseIndex;
}

interface WalkedRecord {
  readonly position: number;
  readonly header: RecordHeader;
}

/**
 * Finds the end of the last segment, cuts off the bytes that a crash left behind it, makes the rest durable, and
 * updates `producers`.
 *
 * A group is written only after the one before it is durable. So only the last group can be torn: in it the first
 * damaged value, or the first place without a header, is the end. A damaged place that a later group follows was
 * durable once: it stays, and reads of it answer `data_loss`. The last group is written again, because a process that
 * was killed after a failed fsync leaves pages in memory that look written and are not on the disk (Rebello et al.,
 * "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
 */
export async function recoverSegment(
  file: DiskFile,
  segment: SegmentHeader & { readonly headerBytes: number },
  producers: ProducerTable,
): Promise<RecoveredSegment> {
  const fileBytes = await file.sizeBytes();
  const window = new FileWindow(file, segment.salt);
  const index = new SparseIndex(segment.base, segment.headerBytes);
  let group: WalkedRecord[] = [];
  const settle = (records: readonly WalkedRecord[]): void => {
    for (const { header, position } of records) {
      producers.touch(stateAfter(header, producers.find(header.producer)));
      index.note(header.offset, position);
    }
  };

  let position = segment.headerBytes;
  let offset = segment.base;
  while (true) {
    let header = await window.header(position);
    if (header === undefined || header.offset !== offset || endOf(position, header) > fileBytes) {
      const lost = offset;
      const found = await window.search(position, (other) => other.offset > lost && other.offset - other.place > lost);
      if (found === undefined || endOf(found.position, found.header) > fileBytes) break;
      header = found.header;
      position = found.position;
      settle(group);
      group = [];
    } else if (header.place === 0) {
      settle(group);
      group = [];
    }
    group.push({ position, header: { ...header, producer: Uint8Array.from(header.producer) } });
    position = endOf(position, header);
    offset = header.offset + 1;
  }

  const whole = await wholeRecords(file, group);
  settle(whole);
  const torn = group[whole.length];
  const sizeBytes = torn === undefined ? position : torn.position;
  const next = torn === undefined ? offset : torn.header.offset;
  if (whole.length > 0) await rewrite(file, whole[0].position, sizeBytes);
  if (sizeBytes < fileBytes) await file.truncate(sizeBytes);
  await file.sync();
  return { next, sizeBytes, tornBytes: fileBytes - sizeBytes, index };
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

/** The records before the first one whose value is damaged. */
async function wholeRecords(file: DiskFile, group: readonly WalkedRecord[]): Promise<WalkedRecord[]> {
  for (let i = 0; i < group.length; i++) {
    const { position, header } = group[i];
    let crc = 0;
    for (let at = 0; at < header.valueBytes; at += VERIFY_BYTES) {
      const bytes = Math.min(VERIFY_BYTES, header.valueBytes - at);
      crc = crc32c(await readAt(file, position + RECORD_HEADER_BYTES + at, bytes), crc);
    }
    if (crc !== header.valueCrc) return group.slice(0, i);
  }
  return [...group];
}

async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += VERIFY_BYTES) {
    await file.write(await readAt(file, at, Math.min(VERIFY_BYTES, to - at)), at);
  }
}
