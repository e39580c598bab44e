import { ControlRecord } from '@tidemark/contract';
import { decodeControl, encodeControl } from '@tidemark/control-log';
import { SERIES_CLASS, seriesId, seriesName } from '@tidemark/model';
import { LaneTracker, packClient, packLane, packTrackerHead, unpackTracker } from '@tidemark/point-log';
import { decodeRecord, encodeBareRecord, encodeRecord, RECORD } from '@tidemark/point-records';
import { readTagRecord, TagRecordWriter } from '@tidemark/tag-records';
import {
  ENVELOPE_BYTES,
  openEnvelope,
  placeChecksum,
  valueChecksum,
  writeEnvelope,
} from '../../../libs/adapter/kafka-log/src/envelope.ts';
import { fromCheckpoint } from '../../../libs/log/control-log/src/control-checkpoint.ts';
import { readDictionaryKey } from '../../../libs/log/point-log/src/entry-keys.ts';
import { type FuzzTarget, holds, parsed } from '../target.ts';
import { sealedAt, sealedAtEnd } from './sealed.ts';

const TAGS_CHECKSUM_AT = 5;
const TAGS_BODY_AT = 9;
const SESSION = Buffer.alloc(16, 7);
const NAME = seriesName('default', 'http.requests', SERIES_CLASS.count, ['env:prod', 'host:a']);
const HEADER = {
  partition: 3,
  session: SESSION,
  lane: 2,
  epoch: 1,
  sequence: 5,
  markMs: 1_700_000_000_000,
  tagsOffset: 9,
  keyframeOffset: 4,
  era: 17,
  eraStartMs: 1_700_000_000_000,
};

const CHECKPOINT = {
  term: 2,
  offset: 9,
  maps: [{ epoch: 1, partitions: 2, slots: Buffer.alloc(8192) }],
  sessions: [{ session: SESSION, process: 'a', state: 'open', renewedMs: 5 }],
  fences: [{ offset: 3, session: SESSION, reason: 'expired' }],
  deadLanes: [{ session: SESSION, partition: 1, lane: 2 }],
  skips: [{ topic: 'points', partition: 1, offset: 7, reason: 'damaged' }],
  overBudget: [{ tenant: 'a', limit: 5, over: true }],
  keys: [{ tenant: 'a', name: 'b', keyHash: SESSION, scopes: ['send'] }],
  eras: [{ offset: 4, startMs: 5, aheadMs: 6 }],
  lost: [{ offset: 1, records: 1, reason: 'c' }],
};

function must<T>(value: T | undefined): T {
  holds(value !== undefined, () => 'the seed is a message');
  return value;
}

function block(series: number, spans: number): Buffer {
  const id = seriesId(NAME);
  const definition = { metricId: id, seriesId: id, seriesClass: SERIES_CLASS.count, intervalMs: 10_000 };
  return encodeRecord({
    ...HEADER,
    type: RECORD.block,
    minTimeMs: 1,
    maxTimeMs: 2,
    points: 1,
    definitions: [{ dictionary: 1, firstRef: 0, series: Array.from({ length: series }, () => definition) }],
    spans: Array.from({ length: spans }, (_, i) => ({
      clientSession: SESSION,
      sequence: i,
      mapEpoch: 1,
      floor: 0,
      frontierMs: i === 0 ? undefined : 5,
      tenant: 'default',
      dictionary: 1,
      share: Buffer.from([1, 0, 0]),
    })),
  });
}

const pointRecord: FuzzTarget = {
  name: 'point-record',
  seeds: () => [
    encodeBareRecord({ ...HEADER, type: RECORD.mark }),
    encodeBareRecord({ ...HEADER, type: RECORD.fence }),
    block(1, 1),
    block(5, 3),
  ],
  run: (input) => {
    parsed(['data_loss'], () => decodeRecord(input));
    const sealed = sealedAtEnd(input);
    const record = parsed(['data_loss'], () => decodeRecord(sealed));
    if (record !== undefined) {
      const again = decodeRecord(encodeRecord(record));
      holds(again.spans.length === record.spans.length, () => 'a record encodes to another');
    }
  },
};

function tagRecord(series: number): Buffer {
  const writer = new TagRecordWriter();
  for (let i = 0; i < series; i++) {
    const name = seriesName('default', 'http.requests', SERIES_CLASS.reading, [`host:${i}`, 'env:prod', 'é:ü']);
    writer.addSeries(seriesId(name), name, 19_000 + i);
  }
  writer.addDay(seriesId(NAME), 19_000);
  writer.addStatement('default', 'http.requests', 'protocol', { unit: 'byte', description: 'what is sent' });
  return writer.take();
}

const tagsRecord: FuzzTarget = {
  name: 'tags-record',
  seeds: () => [tagRecord(0), tagRecord(1), tagRecord(20)],
  run: (input) => {
    let visits = 0;
    const visit = (): void => {
      visits++;
    };
    const visitor = { series: visit, day: visit, statement: visit };
    for (const bytes of [input, sealedAt(input, TAGS_CHECKSUM_AT, TAGS_BODY_AT)]) {
      visits = 0;
      const read = parsed(['data_loss'], () => {
        readTagRecord(bytes, visitor);
        return true;
      });
      holds(read === true || visits === 0, () => `${visits} entries of a damaged record were visited`);
    }
  },
};

const control: FuzzTarget = {
  name: 'control-record',
  seeds: () =>
    [
      { $case: 'registered', value: { session: SESSION, process: 'intake-1' } },
      { $case: 'skip', value: { topic: 'points', partition: 1, offset: 7, reason: 'damaged' } },
      {
        $case: 'map',
        value: { term: 1, expectedEpoch: 0, map: { epoch: 1, partitions: 2, slots: Buffer.alloc(8192) } },
      },
      { $case: 'checkpoint', value: CHECKPOINT },
    ].map((record) => encodeControl(must(ControlRecord.fromPartial({ record } as never).record))),
  maxBytes: 16_384,
  run: (input) => {
    for (const bytes of [input, sealedAt(input, TAGS_CHECKSUM_AT, TAGS_BODY_AT)]) {
      const message = parsed(['data_loss'], () => decodeControl(bytes));
      if (message?.$case === 'checkpoint') parsed(['data_loss'], () => fromCheckpoint(message.value));
      if (message !== undefined)
        holds(decodeControl(encodeControl(message)).$case === message.$case, () => 'another message');
    }
  },
};

const kafkaRecord: FuzzTarget = {
  name: 'kafka-record',
  seeds: () => {
    const value = Buffer.from('a value');
    const stored = Buffer.concat([Buffer.alloc(ENVELOPE_BYTES), value]);
    const place = placeChecksum('points', 3);
    writeEnvelope(stored, 0, valueChecksum(place, value));
    return [stored];
  },
  run: (input) => {
    openEnvelope(placeChecksum('points', 3), input);
  },
};

/** The state of a consumer of `points`: first byte selects the entry. */
const pointLogState: FuzzTarget = {
  name: 'point-log-state',
  seeds: () => {
    const tracker = new LaneTracker();
    const head = packTrackerHead(tracker);
    const lane = packLane({
      key: 'k',
      session: SESSION,
      lane: 1,
      sequence: 2,
      open: true,
      ended: false,
      fenced: false,
      markMs: 3,
      epoch: 1,
      keyframeOffset: 0,
      endedAtMs: 0,
      skips: 0,
      gapEpoch: 0,
    });
    return [
      Buffer.concat([Buffer.of(0), head]),
      Buffer.concat([Buffer.of(1), lane]),
      Buffer.concat([Buffer.of(2), SESSION, Buffer.from('\x07default'), Buffer.alloc(160)]),
      Buffer.concat([Buffer.of(3), Buffer.alloc(40, 1)]),
    ];
  },
  run: (input) => {
    const entry = input.subarray(1);
    parsed(['data_loss'], () => {
      switch ((input[0] ?? 0) % 4) {
        case 0:
          return unpackTracker(entry, [], []);
        case 1:
          return unpackTracker(undefined, [entry], []);
        case 2: {
          const tracker = unpackTracker(undefined, [], [entry]);
          for (const client of tracker.clients.values()) packClient(client);
          return tracker;
        }
        default:
          return readDictionaryKey(entry);
      }
    });
  },
};

export const LOG_FORMATS: readonly FuzzTarget[] = [pointRecord, tagsRecord, control, kafkaRecord, pointLogState];
