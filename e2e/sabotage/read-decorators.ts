import { toHex } from '@tidemark/bytes';
import { decodeControl, encodeControl } from '@tidemark/control-log';
import { FIRST_ERA, hash128, SERIES_CLASS } from '@tidemark/model';
import {
  ALL_LANES,
  decodeRecord,
  encodeBareRecord,
  encodeRecord,
  RECORD,
  type SeriesDefinition,
} from '@tidemark/point-records';
import type { Log, LogRecord, Topic } from '@tidemark/ports';

type Rewrite = (topic: Topic, partition: number, record: LogRecord) => LogRecord;

/** A log that changes records when they are read. */
export function rewriting(log: Log, rewrite: Rewrite): Log {
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

/** Every span has a new client session, so no span is a duplicate. */
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

/** Sessions whose id begins with a low bit open no lane, so the minimum ignores them. */
export function withoutSomeSessions(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const header = decodeRecord(record.value);
    if (header.type !== RECORD.open || header.session[0] >= 128) return record;
    return { ...record, value: encodeBareRecord({ ...header, type: RECORD.mark }) };
  });
}

/** Every record was appended long after its mark, by the times that readers see. */
export function appendedLate(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    return topic === 'points' ? { ...record, appendTimeMs: Number.MAX_SAFE_INTEGER } : record;
  });
}

/** Records do not name their era. */
export function withoutEras(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const block = { ...decodeRecord(record.value), era: FIRST_ERA };
    return { ...record, value: block.type === RECORD.block ? encodeRecord(block) : encodeBareRecord(block) };
  });
}

/** No partition is halted. */
export function withoutHalts(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'control') return record;
    const message = decodeControl(record.value);
    if (message.$case === 'halt') message.value.halted = false;
    else if (message.$case === 'checkpoint') message.value.halts = [];
    else return record;
    return { ...record, value: encodeControl(message) };
  });
}

/** Series whose senders state no interval have `intervalMs` in their definitions. */
export function statingIntervals(log: Log, intervalMs: number): Log {
  return redefining(log, (one) => ({ ...one, intervalMs: one.intervalMs || intervalMs }));
}

/** Definitions of gauges and counters have no interval. */
export function withoutIntervalsOfReadings(log: Log): Log {
  return redefining(log, (one) => (one.seriesClass === SERIES_CLASS.reading ? { ...one, intervalMs: 0 } : one));
}

function redefining(log: Log, redefined: (series: SeriesDefinition) => SeriesDefinition): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const block = decodeRecord(record.value);
    if (block.type !== RECORD.block) return record;
    const definitions = block.definitions.map((of) => ({ ...of, series: of.series.map(redefined) }));
    return { ...record, value: encodeRecord({ ...block, definitions }) };
  });
}

/** A block of a fenced session becomes a mark. */
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

/** The spans of a block are reversed. */
export function withSpansReversed(log: Log): Log {
  return rewriting(log, (topic, _, record) => {
    if (topic !== 'points') return record;
    const block = decodeRecord(record.value);
    if (block.type !== RECORD.block || block.spans.length < 2) return record;
    return { ...record, value: encodeRecord({ ...block, spans: block.spans.toReversed() }) };
  });
}

/** First offset of each lane of each partition, over all stores. */
export class SeenLanes {
  readonly #firstOffset = new Map<string, number>();
  readonly #newest = new Map<string, number>();

  see(partition: number, session: string, lane: number, offset: number): void {
    const key = `${partition}/${session}/${lane}`;
    this.#firstOffset.set(key, Math.min(offset, this.#firstOffset.get(key) ?? offset));
    const ofSession = `${partition}/${session}`;
    this.#newest.set(ofSession, Math.max(lane, this.#newest.get(ofSession) ?? lane));
  }

  /** Returns the newest lane of a session with a record before `offset`. */
  newestBefore(partition: number, session: string, offset: number): number | undefined {
    for (let lane = this.#newest.get(`${partition}/${session}`) ?? -1; lane >= 0; lane--) {
      if (this.isBefore(partition, session, lane, offset)) return lane;
    }
    return undefined;
  }

  isBefore(partition: number, session: string, lane: number, offset: number): boolean {
    return (this.#firstOffset.get(`${partition}/${session}/${lane}`) ?? Number.POSITIVE_INFINITY) < offset;
  }
}

/** A fence ends only the lanes with a record before it, and is not remembered. */
export function withoutEarlyFences(log: Log, lanes: SeenLanes): Log {
  return rewriting(log, (topic, partition, record) => {
    if (topic !== 'points') return record;
    const header = decodeRecord(record.value);
    const session = toHex(header.session);
    if (header.type !== RECORD.fence) {
      lanes.see(partition, session, header.lane, record.offset);
      return record;
    }
    const isOfSession = header.lane === ALL_LANES;
    const seen = isOfSession ? lanes.newestBefore(partition, session, record.offset) : header.lane;
    if (seen !== undefined && lanes.isBefore(partition, session, seen, record.offset)) {
      return { ...record, value: encodeBareRecord({ ...header, lane: seen }) };
    }
    // A mark of a lane that never opens changes no watermark.
    // The text decides which seeds detect the sabotage. words: allow nobody
    const strange = hash128(Buffer.from(`nobody ${partition} ${record.offset}`));
    return {
      ...record,
      value: encodeBareRecord({ ...header, type: RECORD.mark, session: strange, lane: 0, sequence: 0 }),
    };
  });
}
