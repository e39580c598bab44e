import { toHex } from '@tidemark/bytes';
import { type Disk, isTidemarkError } from '@tidemark/ports';
import { isOfCrash } from './damaged-batches.ts';
import { IndexState } from './index-state.ts';
import { type BadBytes, readRecords } from './read-records.ts';
import { readFully } from './spool-file.ts';
import { decodeHeader, FILE_KIND, FILE_OF_RECORD, SPOOL_HEADER_BYTES, type SpoolHeader } from './spool-format.ts';
import type { IndexName } from './spool-names.ts';

export interface FoundIndex {
  readonly state: IndexState;
  readonly badBytes: number;
  /** True when some of it is bad, and not by whole sectors: it may not say which batches had a stamp. */
  readonly isDamaged: boolean;
}

/**
 * Reads the index of a client session; undefined when there is none. After a crash while it was rewritten there are two:
 * the later repeats what the earlier has. Errors: the disk's, and `failed_precondition` for a newer format.
 * recover-session.test.ts covers it.
 */
export async function readIndex(
  disk: Disk,
  indexes: readonly IndexName[],
  clientSession: Uint8Array,
  maxFileBytes: number,
): Promise<FoundIndex | undefined> {
  const state = new IndexState();
  let [badBytes, files, isDamaged] = [0, 0, false];
  for (const { path } of indexes) {
    const bytes = await readFile(disk, path, maxFileBytes, (sizeBytes) => {
      badBytes += sizeBytes;
    });
    const header = headerOf(bytes, path);
    const isOther = header !== undefined && toHex(header.clientSession) !== toHex(clientSession);
    if (isOther || bytes.length < SPOOL_HEADER_BYTES) {
      badBytes += bytes.length;
      isDamaged ||= bytes.some((byte) => byte !== 0);
      continue;
    }
    files++;
    if (header === undefined) badBytes += SPOOL_HEADER_BYTES;
    else state.nextSequence = Math.max(state.nextSequence, header.nextSequence);
    const unexplained: BadBytes[] = [];
    badBytes += addRecords(state, bytes, (bad) => {
      if (bad.record === undefined) unexplained.push(bad);
    });
    isDamaged ||= unexplained.length > 0 && !isOfCrash(unexplained);
  }
  return files === 0 ? undefined : { state, badBytes, isDamaged };
}

/** Returns the bytes that are bad. A record that one flipped bit explains is good enough to say what there was. */
function addRecords(state: IndexState, bytes: Buffer, onBad: (bad: BadBytes) => void): number {
  let badBytes = 0;
  const records = readRecords(bytes, (bad) => {
    badBytes += bad.bytes.length;
    if (bad.record !== undefined) state.apply(bad.record);
    onBad(bad);
  });
  for (const { record, sizeBytes } of records) {
    if (FILE_OF_RECORD[record.type] === FILE_KIND.index || record.type === 'settled') state.apply(record);
    else badBytes += sizeBytes;
  }
  return badBytes;
}

/** Reads a spool file after a sync; `onBad` is called with the size of what is beyond the limit. Errors: the disk's. */
export async function readFile(
  disk: Disk,
  path: string,
  limitBytes: number,
  onBad: (sizeBytes: number) => void,
): Promise<Buffer> {
  const file = await disk.open(path);
  try {
    // Bytes that a crashed process wrote without a sync can be read now and be lost in the next crash: a stamp must not be.
    await file.sync();
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes > limitBytes) onBad(sizeBytes - limitBytes);
    return await readFully(file, 0, Math.min(sizeBytes, limitBytes));
  } finally {
    await file.close().catch(() => {});
  }
}

/** Undefined for a header that is damaged: folder and name say which session and kind the file is of. */
export function headerOf(bytes: Buffer, path: string): SpoolHeader | undefined {
  try {
    return decodeHeader(bytes.subarray(0, SPOOL_HEADER_BYTES), path);
  } catch (error) {
    if (isTidemarkError(error, 'data_loss')) return undefined;
    throw error;
  }
}
