import { afterPrefix, ByteReader, type IdHash, toHex } from '@tidemark/bytes';
import { type KeyRange, type KeyValue, TidemarkError } from '@tidemark/ports';
import type { Day } from './calendar.ts';
import { Checkpoints, type TagCheckpoint } from './checkpoints.ts';
import { decodeDay, decodeDaySeries } from './day-values.ts';
import { Journal } from './journal.ts';
import { decodeMetadata } from './metadata-value.ts';
import type { Metric } from './metric-table.ts';
import {
  dayOfKey,
  decodeGap,
  decodeState,
  generationKey,
  metricAndDayOfKey,
  NUMBERED,
  numberOfKey,
  offsetOfKey,
  openValue,
  PREFIX,
  prefixKey,
  STATE_KEY,
  type StoredGap,
  type StoredState,
  unknownDayOfKey,
} from './store-layout.ts';
import { TagIndex } from './tag-index.ts';

const HASH_BYTES = 16;

export interface OpenedStore {
  readonly nextOffset: number;
  readonly index: TagIndex;
  readonly journal: Journal;
  /** Parts of days that have expired, and are still stored. */
  readonly expired: ReadonlyMap<number, Metric[]>;
  /** The gaps by offset, ascending. */
  readonly gaps: Map<number, StoredGap>;
  readonly checkpoints: Checkpoints;
}

/**
 * Reads a stored partition into memory. Postings are not stored: computing them from the series is faster than reading
 * them. Throws `data_loss` when an entry is broken or missing, `failed_precondition` when a newer program wrote it.
 */
export async function openStore(
  keyValue: KeyValue,
  options: { readonly idHash?: IdHash | undefined; readonly retentionDays?: number | undefined } = {},
): Promise<OpenedStore> {
  const index = new TagIndex(options.idHash, options.retentionDays);
  const gaps = new Map<number, StoredGap>();
  const expired = new Map<number, Metric[]>();
  const stored = await keyValue.get(STATE_KEY);
  if (stored === undefined) {
    return { nextOffset: 0, index, journal: new Journal(), expired, gaps, checkpoints: new Checkpoints() };
  }
  const state = decodeState(stored);
  const { generation } = state;
  const journal = new Journal(generation);
  const numbered = (prefix: number) => entriesOf(keyValue, generationKey(prefix, generation));
  for await (const { key, value } of numbered(PREFIX.journal)) journal.load(numberOfKey(key), value, index);
  journal.resume();
  for await (const { key, value } of entriesOf(keyValue, prefixKey(PREFIX.wholeDay))) {
    index.calendar.load(decodeDay(dayOfKey(key), value));
  }
  for await (const { key, value } of numbered(PREFIX.day)) loadDay(index, key, value, expired);
  for await (const { key, value } of numbered(PREFIX.metadata)) loadMetadata(index, key, value);
  for await (const { key, value } of entriesOf(keyValue, prefixKey(PREFIX.unknownDay))) {
    openValue(value, 'tag store unknown day');
    const { id, day } = unknownDayOfKey(key);
    index.unknown.add(id, day);
  }
  for await (const { key, value } of entriesOf(keyValue, prefixKey(PREFIX.gap))) {
    gaps.set(offsetOfKey(key), decodeGap(value));
  }
  const checkpoints: TagCheckpoint[] = [];
  for await (const { key, value } of entriesOf(keyValue, prefixKey(PREFIX.checkpoint))) {
    const what = 'tag store checkpoint';
    const reader = new ByteReader(openValue(value, what), what);
    checkpoints.push({ offset: offsetOfKey(key), hash: toHex(reader.bytes(HASH_BYTES)) });
  }
  for (const metric of index.metrics.all) {
    metric.hasExpiredDays = metric.seriesCount > metric.countSeen(0);
    index.hasExpired ||= metric.hasExpiredDays;
  }
  index.hash.load(state.hash);
  index.unknown.dropped = state.droppedUnknownDays;
  index.calendar.begun = state.daysBegun;
  index.calendar.today = state.today;
  index.calendar.expiredThrough = state.expiredBefore - 1;
  checkComplete(state, index, gaps);
  await deleteOtherGenerations(keyValue, generation);
  return { nextOffset: state.nextOffset, index, journal, expired, gaps, checkpoints: new Checkpoints(checkpoints) };
}

function entriesOf(keyValue: KeyValue, from: Uint8Array): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
  return keyValue.entries({ from, to: afterPrefix(from) });
}

/**
 * Deletes all entries of generations other than `kept`: those before it, and one that a renumbering had begun when the process
 * ended.
 */
export async function deleteOtherGenerations(keyValue: KeyValue, kept: number): Promise<void> {
  for (const prefix of NUMBERED) {
    const all = prefixKey(prefix);
    const own = generationKey(prefix, kept);
    const ranges = [
      { from: all, to: own },
      { from: afterPrefix(own), to: afterPrefix(all) },
    ];
    for (const range of ranges) if (await hasEntries(keyValue, range)) await keyValue.deleteRange(range.from, range.to);
  }
}

async function hasEntries(keyValue: KeyValue, range: Pick<KeyRange, 'from' | 'to'>): Promise<boolean> {
  for await (const _ of keyValue.entries({ ...range, limit: 1 })) return true;
  return false;
}

function loadMetadata(index: TagIndex, key: Uint8Array, value: Uint8Array): void {
  const number = numberOfKey(key);
  const metric = index.metrics.all[number];
  if (metric === undefined) {
    const message = `tag store: metadata of metric ${number}, which does not exist (${index.metrics.all.length} metrics)`;
    throw new TidemarkError('data_loss', message);
  }
  const what = `tag store metadata of ${metric.name}`;
  metric.metadata = decodeMetadata(openValue(value, what), what);
}

function loadDay(index: TagIndex, key: Uint8Array, value: Uint8Array, expired: Map<number, Metric[]>): void {
  const [metricIndex, day] = metricAndDayOfKey(key);
  const metric = index.metrics.all[metricIndex];
  if (metric === undefined) {
    throw new TidemarkError(
      'data_loss',
      `tag store: a day of metric ${metricIndex}, which does not exist (${index.metrics.all.length} metrics)`,
    );
  }
  const { serial, bitmap } = decodeDaySeries(value, `tag store day ${day} of ${metric.name}`);
  const whole = index.calendar.find(day);
  if (whole?.serial !== serial) {
    const metrics = expired.get(day);
    if (metrics === undefined) expired.set(day, [metric]);
    else metrics.push(metric);
    return;
  }
  if (bitmap.last() >= index.series.count) {
    throw new TidemarkError('data_loss', `tag store: day ${day} of ${metric.name} has a series that is not defined`);
  }
  metric.loadDay(whole, bitmap);
}

function checkComplete(state: StoredState, index: TagIndex, gaps: ReadonlyMap<number, StoredGap>): void {
  const seen = new Map<Day, number>();
  for (const { days } of index.metrics.all) {
    for (const { whole, bitmap } of days) seen.set(whole, (seen.get(whole) ?? 0) + bitmap.size);
  }
  const ofDays = Array.from(index.calendar.all, (day): [string, number, number] => {
    return [`series of day ${day.number}`, day.seen, seen.get(day) ?? 0];
  });
  const found: [string, number, number][] = [
    ...ofDays,
    ['tags', state.tags, index.tags.size],
    ['metrics', state.metrics, index.metrics.all.length],
    ['series', state.series, index.series.count],
    ['days', state.days, index.calendar.size],
    ['days of series', state.daysOfSeries, index.calendar.seen],
    ['unknown days', state.unknownDays, index.unknown.count],
    ['gaps', state.gaps, gaps.size],
  ];
  for (const [what, expected, actual] of found) {
    if (expected === actual) continue;
    throw new TidemarkError('data_loss', `tag store: ${actual} ${what}, expected ${expected}`, { what });
  }
}
