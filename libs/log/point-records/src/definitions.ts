import type { ByteReader, ByteWriter } from '@tidemark/bytes';
import { ID_BYTES, INTERVAL_LIMIT_MS, isSeriesClass, type SeriesClass } from '@tidemark/model';
import { DICTIONARY_REFS_LIMIT } from './record-limits.ts';

/**
 * Definitions of one dictionary of a lane: `series[i]` has ref `firstRef + i`. A dictionary is one client's numbering
 * of its series of the partition, so that the client's columns go into the log as they are.
 */
export interface Definitions {
  /** Number of the dictionary within the lane's epoch. */
  readonly dictionary: number;
  readonly firstRef: number;
  readonly series: readonly SeriesDefinition[];
}

export interface SeriesDefinition {
  /** 16 bytes. */
  readonly metricId: Uint8Array;
  /** 16 bytes. */
  readonly seriesId: Uint8Array;
  readonly seriesClass: SeriesClass;
  /** Reporting interval that the sender states, ms; absent or 0 when it states none. */
  readonly intervalMs?: number;
}

/** Bytes of definitions, at most: of an entry without its runs, and of a run without its series. A series is an id. */
export const DEFINITION_BYTES = { entry: 24, run: ID_BYTES + 17, series: ID_BYTES } as const;

/** Writes definitions. A run of series that share metric, class and interval has both only once. */
export function writeDefinitions(definitions: Definitions, out: ByteWriter): void {
  const { series } = definitions;
  out.varint(definitions.dictionary);
  out.varint(definitions.firstRef);
  out.varint(series.length);
  for (let from = 0; from < series.length; ) {
    const first = series[from];
    let to = from + 1;
    while (to < series.length && isAlike(series[to], first)) to++;
    out.bytes(first.metricId);
    out.u8(first.seriesClass);
    out.varint(first.intervalMs ?? 0);
    out.varint(to - from);
    for (let i = from; i < to; i++) out.bytes(series[i].seriesId);
    from = to;
  }
}

export function readDefinitions(reader: ByteReader): Definitions {
  const dictionary = reader.varint();
  const firstRef = reader.varint();
  const count = reader.varint();
  if (count * ID_BYTES > reader.remaining) reader.fail(`${count} definitions do not fit in ${reader.remaining} bytes`);
  if (firstRef + count > DICTIONARY_REFS_LIMIT) {
    reader.fail(`dictionary of ${firstRef + count} refs (limit: ${DICTIONARY_REFS_LIMIT})`);
  }
  const series: SeriesDefinition[] = [];
  while (series.length < count) {
    const metricId = reader.bytes(ID_BYTES);
    const seriesClass = reader.u8();
    if (!isSeriesClass(seriesClass)) return reader.fail(`unknown class ${seriesClass}`);
    const intervalMs = reader.varint();
    if (intervalMs > INTERVAL_LIMIT_MS) reader.fail(`an interval of ${intervalMs} ms, limit ${INTERVAL_LIMIT_MS}`);
    const run = reader.varint();
    if (run === 0 || series.length + run > count)
      reader.fail(`run of ${run} definitions (limit: 1 to ${count - series.length})`);
    for (let i = 0; i < run; i++) series.push({ metricId, seriesClass, intervalMs, seriesId: reader.bytes(ID_BYTES) });
  }
  return { dictionary, firstRef, series };
}

function isAlike(a: SeriesDefinition, b: SeriesDefinition): boolean {
  if (a.seriesClass !== b.seriesClass || (a.intervalMs ?? 0) !== (b.intervalMs ?? 0)) return false;
  return a.metricId === b.metricId || Buffer.compare(a.metricId, b.metricId) === 0;
}
