import { decodeRecord, encodeBareRecord, encodeRecord, RECORD } from '@tidemark/block';
import { toHex } from '@tidemark/bytes';
import { hash128 } from '@tidemark/model';
import { type Appended, type Clock, type Log, type LogRecord, sleep, type Topic } from '@tidemark/ports';

type Rewrite = (topic: Topic, partition: number, record: LogRecord) => LogRecord;

/** A log whose records are other ones for whoever reads them. */
function rewriting(log: Log, rewrite: Rewrite): Log {
  return {
    writer: (topic, partition) => log.writer(topic, partition),
    read: async (topic, partition, from, options) => {
      const records = await log.read(topic, partition, from, options);
      return records.map((record) => rewrite(topic, partition, record));
    },
    bounds: (topic, partition) => log.bounds(topic, partition),
    trim: (topic, partition, before) => log.trim(topic, partition, before),
  };
}

/** Every span is of a client session that was never seen before, so none is a duplicate. */
export function withoutDeduplication(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const block = decodeRecord(record.value);
    if (block.type !== RECORD.block) return record;
    const spans = block.spans.map((span, i) => {
      const clientSession = hash128(Buffer.from(`${toHex(span.clientSession)} ${record.offset} ${i}`));
      return { ...span, clientSession };
    });
    return { ...record, value: encodeRecord({ ...block, spans }) };
  });
}

/** The sessions whose id begins with a low bit open no lane: the minimum is without them. */
export function withoutSomeSessions(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const header = decodeRecord(record.value);
    if (header.type !== RECORD.open || header.session[0] >= 128) return record;
    return { ...record, value: encodeBareRecord({ ...header, type: RECORD.mark }) };
  });
}

/** A block of a session that was fenced is taken for a mark. */
export function withoutFencedBlocks(log: Log): Log {
  const fences = new Map<string, number>();
  return rewriting(log, (topic, partition, record) => {
    if (topic !== 'points') return record;
    const block = decodeRecord(record.value);
    const key = `${partition}/${toHex(block.session)}`;
    if (block.type === RECORD.fence) fences.set(key, Math.min(record.offset, fences.get(key) ?? record.offset));
    const isAfterFence = record.offset > (fences.get(key) ?? Number.POSITIVE_INFINITY);
    if (block.type !== RECORD.block || !isAfterFence) return record;
    return { ...record, value: encodeBareRecord({ ...block, type: RECORD.mark }) };
  });
}

/** A log that says of some records that it has them before it does; they get there `delayMs` later, in order. */
function acknowledgingEarly(
  log: Log,
  clock: Clock,
  delayMs: number,
  isEarly: (topic: Topic, value: Uint8Array) => boolean,
): Log {
  return {
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
    read: (topic, partition, from, options) => log.read(topic, partition, from, options),
    bounds: (topic, partition) => log.bounds(topic, partition),
    trim: (topic, partition, before) => log.trim(topic, partition, before),
  };
}

/** Tags are taken for published while they are still on their way. */
export function tagsAfterPoints(log: Log, clock: Clock): Log {
  return acknowledgingEarly(log, clock, 3000, (topic) => topic === 'tags');
}

/** `open` is taken for acknowledged as soon as it is sent. */
export function openBeforeAck(log: Log, clock: Clock): Log {
  return acknowledgingEarly(log, clock, 3000, (topic, value) => topic === 'points' && value[5] === RECORD.open);
}
