import { isTidemarkError, type Log, type LogRecord, type LogWriter, type Topic } from '@tidemark/ports';

/** A log under test, new and empty, with at least two partitions of `points`. */
export interface LogCluster {
  readonly log: Log;
  /** Stops the log and starts it again with its stored records. Returns the new log. */
  restart(): Promise<Log>;
  close(): Promise<void>;
  /** Returns the writer to continue with after a restart; absent when the old writer continues. */
  resume?(log: Log, writer: LogWriter): Promise<LogWriter>;
  /** Kills the log and starts it again; absent when a crash is the same as `restart`. */
  crash?(): Promise<Log>;
}

export type MakeCluster = () => Promise<LogCluster>;

export const TOPIC: Topic = 'points';
const READ_BYTES = 64 * 1024;

/** Makes a value that contains its writer and sequence. */
export function valueNamed(writer: number, sequence: number, sizeBytes = 16): Uint8Array {
  const value = Buffer.alloc(Math.max(sizeBytes, 16), (writer * 31 + sequence) & 0xff);
  value.writeDoubleLE(writer, 0);
  value.writeDoubleLE(sequence, 8);
  return value;
}

export function nameOf(value: Uint8Array): { writer: number; sequence: number } {
  const view = Buffer.from(value);
  return { writer: view.readDoubleLE(0), sequence: view.readDoubleLE(8) };
}

/** Reads all records from `from` to the end, as copies. */
export async function readAll(log: Log, partition: number, from = 0): Promise<LogRecord[]> {
  const { next } = await log.bounds(TOPIC, partition);
  const all: LogRecord[] = [];
  for (let offset = from; offset < next; ) {
    const records = await log.read(TOPIC, partition, offset, { maxBytes: READ_BYTES, waitMs: 1000 });
    if (records.length === 0) throw new Error(`nothing to read at ${offset} below ${next}`);
    for (const record of records) all.push({ ...record, value: Uint8Array.from(record.value) });
    offset += records.length;
  }
  return all;
}

/** Repeats an append until its outcome is known, as a lane does. */
export async function settle(writer: LogWriter, sequence: number, value: Uint8Array, retry: () => Promise<void>) {
  while (true) {
    try {
      return await writer.append(sequence, value);
    } catch (error) {
      const again = ['unavailable', 'deadline_exceeded', 'resource_exhausted'] as const;
      if (!again.some((code) => isTidemarkError(error, code))) throw error;
      await retry();
    }
  }
}
