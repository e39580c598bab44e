import type { Disk, DiskFile, Topic } from '@tidemark/ports';
import {
  DRAFT_SUFFIX,
  encodeSegmentHeader,
  partitionFolder,
  type SegmentHeader,
  segmentName,
} from './segment-format.ts';
import type { SparseIndex } from './sparse-index.ts';

/** The segment that a partition appends to. */
export interface ActiveSegment {
  readonly base: number;
  readonly salt: number;
  readonly headerBytes: number;
  readonly file: DiskFile;
  readonly index: SparseIndex;
  /** End of the last durable record. */
  sizeBytes: number;
}

/**
 * Creates a segment file whose header is durable before its name is. Replaces a file of the same name, in which no
 * record became durable.
 */
export async function createSegment(
  disk: Disk,
  header: SegmentHeader & { topic: Topic },
): Promise<{ file: DiskFile; headerBytes: number }> {
  const path = `${partitionFolder(header.topic, header.partition)}/${segmentName(header.base)}`;
  const draft = `${path}${DRAFT_SUFFIX}`;
  const bytes = encodeSegmentHeader(header);
  const file = await disk.open(draft, { create: true });
  try {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.sync();
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.remove(draft).catch(() => undefined);
    throw error;
  }
  await file.close();
  await disk.rename(draft, path);
  return { file: await disk.open(path), headerBytes: bytes.length };
}
