import { equalBytes } from '@tidemark/bytes';
import { type ClosedForm, type DocumentFields, damagedDocument, encodeClosed, parseClosed } from '@tidemark/documents';
import type { DayPlace } from './day-place.ts';

/** Days of the years 0 to 9999, whose dates have four digits. */
const MIN_DAY = -719_528;
const MAX_DAY = 2_932_896;
const MAX_PARTITION = 999_999;
/** Segments of 256 MiB: 16 TiB a day. */
const MAX_SEGMENTS = 65_536;
const MAX_BYTES = 2 ** 40;
const LOG_ID_CHARACTERS = 64;

export const DAY_FORM: ClosedForm = {
  version: 1,
  bytes: 8 * 2 ** 20,
  fields: [
    'partition',
    'day',
    'logId',
    'fromOffset',
    'toOffset',
    'segments',
    'namesBytes',
    'namesCrc32c',
    'namedSeries',
  ],
};
const SEGMENT_FIELDS = new Set(['bytes', 'crc32c', 'metrics', 'series', 'points']);

/** A segment of a day: part i is at i of the list. */
export interface ArchivedSegment {
  readonly bytes: number;
  /** Of all bytes. */
  readonly crc32c: number;
  readonly metrics: number;
  readonly series: number;
  readonly points: number;
}

/** A generation of a day that is in the object store. Equal ones have equal bytes: who writes them is not in them. */
export interface ArchivedDay extends DayPlace {
  /** None for a generation of which no point is left after its records were read. */
  readonly segments: readonly ArchivedSegment[];
  /** Of the object with the names of the series. */
  readonly namesBytes: number;
  /** Of all bytes of it. */
  readonly namesCrc32c: number;
  /** Series that have points, without those that the tag store did not know. */
  readonly namedSeries: number;
}

export function encodeDay(archived: ArchivedDay): Uint8Array {
  const { partition, day, logId, fromOffset, toOffset, segments } = archived;
  const { namesBytes, namesCrc32c, namedSeries } = archived;
  return encodeClosed(DAY_FORM, {
    ...{ partition, day, logId, fromOffset, toOffset },
    segments: segments.map(({ bytes, crc32c, metrics, series, points }) => ({
      bytes,
      crc32c,
      metrics,
      series,
      points,
    })),
    ...{ namesBytes, namesCrc32c, namedSeries },
  });
}

/** Decodes the manifest at `key`. Errors: those of `parseClosed`; `data_loss` for a value that no program writes. */
export function decodeDay(bytes: Uint8Array, key: string): ArchivedDay {
  const fields = parseClosed(bytes, key, DAY_FORM);
  const fromOffset = fields.integer('fromOffset', 0, Number.MAX_SAFE_INTEGER);
  const archived: ArchivedDay = {
    partition: fields.integer('partition', 0, MAX_PARTITION),
    day: fields.integer('day', MIN_DAY, MAX_DAY),
    logId: fields.shortText('logId', LOG_ID_CHARACTERS),
    fromOffset,
    toOffset: fields.integer('toOffset', fromOffset, Number.MAX_SAFE_INTEGER),
    segments: fields.list('segments', MAX_SEGMENTS, SEGMENT_FIELDS).map(segmentOf),
    namesBytes: fields.integer('namesBytes', 1, MAX_BYTES),
    namesCrc32c: fields.integer('namesCrc32c', 0, 2 ** 32 - 1),
    namedSeries: fields.integer('namedSeries', 0, Number.MAX_SAFE_INTEGER),
  };
  if (!equalBytes(encodeDay(archived), bytes)) {
    throw damagedDocument(key, '', `${bytes.length} bytes`, 'the bytes in which a program writes this manifest');
  }
  return archived;
}

function segmentOf(fields: DocumentFields): ArchivedSegment {
  return {
    bytes: fields.integer('bytes', 1, MAX_BYTES),
    crc32c: fields.integer('crc32c', 0, 2 ** 32 - 1),
    metrics: fields.integer('metrics', 1, 2 ** 32 - 1),
    series: fields.integer('series', 1, 2 ** 32 - 1),
    points: fields.integer('points', 1, Number.MAX_SAFE_INTEGER),
  };
}
