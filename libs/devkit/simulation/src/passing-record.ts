import type { LogRecord } from '@tidemark/ports';

/** Hands a record on as a reader does that reuses its memory: when `apply` has returned or thrown, the value is gone. */
export function passRecord<T>(record: LogRecord, apply: (record: LogRecord) => T): T {
  const value = Uint8Array.from(record.value);
  try {
    return apply({ ...record, value });
  } finally {
    value.fill(0xa5);
  }
}
