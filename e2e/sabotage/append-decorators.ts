import { sessionClock } from '@tidemark/intake';
import { FIRST_ERA } from '@tidemark/model';
import { decodeRecord, encodeBareRecord, encodeRecord, RECORD, type RecordHeader } from '@tidemark/point-records';
import {
  type Appended,
  type Clock,
  isTidemarkError,
  type Log,
  sleep,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { rewriting } from './read-decorators.ts';

/** A log that acknowledges some records too early; they are appended `delayMs` later, in order. */
function acknowledgingEarly(
  log: Log,
  clock: Clock,
  delayMs: number,
  isEarly: (topic: Topic, value: Uint8Array) => boolean,
): Log {
  return {
    ...passing(log),
    writer: async (topic, partition) => {
      const writer = await log.writer(topic, partition);
      let behind: Promise<unknown> = Promise.resolve();
      const settle = async (sequence: number, value: Uint8Array): Promise<Appended> => {
        for (;;) {
          try {
            return await writer.append(sequence, value);
          } catch {
            await sleep(clock, 100);
          }
        }
      };
      return {
        append: async (sequence, value) => {
          if (!isEarly(topic, value)) {
            await behind;
            return writer.append(sequence, value);
          }
          const kept = Uint8Array.from(value);
          behind = behind.then(() => sleep(clock, delayMs)).then(() => settle(sequence, kept));
          return { offset: 0, appendTimeMs: clock.wallMs() };
        },
      };
    },
  };
}

/** Tags count as published before they are appended. */
export function tagsAfterPoints(log: Log, clock: Clock): Log {
  return acknowledgingEarly(log, clock, 3000, (topic) => topic === 'tags');
}

/** `open` counts as acknowledged when it is sent. */
export function openBeforeAck(log: Log, clock: Clock): Log {
  return acknowledgingEarly(log, clock, 3000, (topic, value) => topic === 'points' && value[5] === RECORD.open);
}

const REUSED_EACH = 20;

/** Each nth record of points gets the offset of the record before it, in whose place it is not stored. */
export function reusingOffsets(log: Log): Log {
  let appends = 0;
  return {
    ...passing(log),
    writer: async (topic, partition) => {
      const writer = await log.writer(topic, partition);
      let last: Appended | undefined;
      return {
        append: async (sequence, value) => {
          if (topic === 'points' && last !== undefined && ++appends % REUSED_EACH === 0) return last;
          last = await writer.append(sequence, value);
          return last;
        },
      };
    },
  };
}

/** A producer with metadata of fewer partitions: partition numbers are taken modulo that count. */
export function remappingPartitions(log: Log, known: number): Log {
  return {
    ...passing(log),
    writer: (topic, partition) => log.writer(topic, topic === 'points' ? partition % known : partition),
  };
}

/** The mark of each record is the session's clock, without regard to points that wait for the lane. */
export function markingTheClock(log: Log, clock: Clock): Log {
  const now = sessionClock(clock);
  return withRecords(log, (value) => changed(value, { markMs: now.nowMs() }));
}

/** Records of lanes do not name their era, so no consumer takes its watermark back. */
export function namingNoEra(log: Log): Log {
  return withRecords(log, (value) => changed(value, { era: FIRST_ERA }));
}

/** A log whose refusal of a large record ends its writer, as an unknown outcome does. */
export function endingAtRefusals(log: Log): Log {
  return {
    ...passing(log),
    writer: async (topic, partition) => {
      const writer = await log.writer(topic, partition);
      return {
        append: (sequence, value) => {
          return writer.append(sequence, value).catch((error: unknown) => {
            if (!isTidemarkError(error, 'invalid_argument')) throw error;
            throw new TidemarkError('failed_precondition', error.message);
          });
        },
      };
    },
  };
}

/** A log that changes the records of `points` before they are appended. */
function withRecords(log: Log, change: (value: Uint8Array) => Uint8Array): Log {
  return {
    ...passing(log),
    writer: async (topic, partition) => {
      const writer = await log.writer(topic, partition);
      let sent: { readonly sequence: number; readonly value: Uint8Array } = { sequence: -1, value: new Uint8Array() };
      return {
        append: (sequence, value) => {
          if (topic !== 'points') return writer.append(sequence, value);
          // A retry must have the same bytes.
          if (sent.sequence !== sequence) sent = { sequence, value: change(value) };
          return writer.append(sequence, sent.value);
        },
      };
    },
  };
}

function changed(value: Uint8Array, change: Partial<RecordHeader>): Uint8Array {
  const record = { ...decodeRecord(value), ...change };
  return record.type === RECORD.block ? encodeRecord(record) : encodeBareRecord(record);
}

/** Every record was appended `byMs` earlier than it was. */
export function appendedEarlier(log: Log, byMs: number): Log {
  return rewriting(log, (_, __, record) => ({ ...record, appendTimeMs: record.appendTimeMs - byMs }));
}

function passing(log: Log): Log {
  return {
    writer: (topic, partition) => log.writer(topic, partition),
    read: (topic, partition, from, options) => log.read(topic, partition, from, options),
    bounds: (topic, partition) => log.bounds(topic, partition),
    trim: (topic, partition, before) => log.trim(topic, partition, before),
  };
}
