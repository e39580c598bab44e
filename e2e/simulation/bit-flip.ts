import { type ControlMessage, decodeControl } from '@tidemark/control-log';
import { below, type Random, type Topic } from '@tidemark/ports';
import type { FaultPlan } from '@tidemark/simulation';
import type { LogCopy } from './log-copy.ts';
import type { LogHost } from './log-host.ts';
import type { Placement, StoredTopic } from './placement.ts';
import { leaderOf, PARTITIONS } from './settings.ts';
import type { SupervisedNode } from './supervised-node.ts';

/** Records at the end of a partition that a flip may hit. */
const TAIL_RECORDS = 3;
const CONTROL_TAIL_RECORDS = 60;
// Positions in the files of the log: docs/formats/log.md.
const RECORD_HEADER_BYTES = 64;
const VALUE_BYTES_AT = 12;
const OFFSET_AT = 24;
const SLOTS_AT = [0, 512];
const NEXT_AT = 16;

interface Flip {
  /** The broker, which is down. */
  readonly node: SupervisedNode<LogHost>;
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly copy: LogCopy;
  readonly placement: Placement;
}

interface StoredRecord {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly path: string;
  readonly position: number;
  readonly sizeBytes: number;
}

/**
 * Flips one bit of one of the last records of a partition, as a disk may while nothing runs. It hits a record that every store
 * has committed, and that a sync mark covers: so no store needs it again, and recovery must not cut it.
 */
export function flipBitInTail({ node, random, faults, copy, placement }: Flip): void {
  const found = placesOf(node).flatMap(({ topic, partition }) => {
    const committed = placement.committedByAll(topic, partition) ?? 0;
    return syncedRecords(node, topic, partition).filter(({ offset }) => offset < committed);
  });
  if (found.length > 0 && faults.fires('log.bit-flip')) flip(found, { node, random, copy });
}

/**
 * Flips one bit of one of the last records of a partition of `points` that no store has read: all of them halt there. The
 * broker is down.
 */
export function flipUnreadBit(partition: number, { node, random, copy }: Omit<Flip, 'faults' | 'placement'>): void {
  const firstUnread = copy.firstUnread('points', partition);
  const end = copy.of('points', partition).length;
  const found = syncedRecords(node, 'points', partition).filter(({ offset }) => offset >= firstUnread && offset < end);
  if (found.length > 0) flip(found, { node, random, copy });
}

function flip(found: readonly StoredRecord[], { node, random, copy }: Omit<Flip, 'faults' | 'placement'>): void {
  const { topic, partition, offset, path, position, sizeBytes } = found[below(random, found.length)];
  node.node.disk.rot(path, position + below(random, sizeBytes), 1 << below(random, 8));
  copy.rot(topic, partition, offset);
}

/**
 * Flips one bit of one of the last records of `control`, whose broker is down. It hits no map, because what was routed by it
 * can't be found without it, and leaves a checkpoint intact.
 */
export function flipControlBit({ node, random, faults, copy }: Omit<Flip, 'placement'>): void {
  const records = copy.of('control', 0);
  const tail = syncedRecords(node, 'control', 0, CONTROL_TAIL_RECORDS).filter(({ offset }) => offset < records.length);
  const messages = records.map((value) => decodeControl(value));
  const damaged = new Set(messages.map((_, offset) => offset).filter((offset) => copy.isDamaged('control', 0, offset)));
  const intact = tail.flatMap(({ offset }) => intactCheckpoint(messages, offset, damaged) ?? []);
  const found = tail.filter(({ offset }) => {
    if (messages[offset].$case === 'map') return false;
    const own = checkpointOf(messages, offset);
    return own === undefined || intact.some((other) => other !== own);
  });
  if (found.length > 0 && faults.fires('control.bit-flip')) flip(found, { node, random, copy });
}

/** The offset at which the checkpoint begins that has the record at `offset`; undefined for another record. */
function checkpointOf(messages: readonly ControlMessage[], offset: number): number | undefined {
  const message = messages[offset];
  if (message.$case === 'checkpointBegun') return offset;
  return message.$case === 'checkpoint' ? message.value.offset : undefined;
}

/** The offset at which the checkpoint begins that ends at `last`, if all of its records are intact. */
function intactCheckpoint(
  messages: readonly ControlMessage[],
  last: number,
  damaged: ReadonlySet<number>,
): number | undefined {
  const message = messages[last];
  if (message.$case !== 'checkpoint' || message.value.part + 1 < message.value.parts) return undefined;
  const { offset } = message.value;
  for (let at = offset; at <= last; at++) {
    if (checkpointOf(messages, at) === offset && damaged.has(at)) return undefined;
  }
  return offset;
}

/** Returns the partitions that a broker leads, except `control`. */
export function placesOf({ name }: SupervisedNode<LogHost>): { topic: StoredTopic; partition: number }[] {
  return (['points', 'tags'] as const).flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })).filter(
      ({ partition }) => leaderOf(topic, partition) === name,
    ),
  );
}

/** The last records of a partition, as far as a sync mark covers them. */
function syncedRecords(
  node: SupervisedNode<LogHost>,
  topic: Topic,
  partition: number,
  count = TAIL_RECORDS,
): StoredRecord[] {
  const synced = syncedNext(node.node.disk.peek(`${topic}/${partition}/SYNCED`));
  return lastRecords(node, topic, partition, count).filter(({ offset }) => offset < synced);
}

/** The records at the end of the last segment of a partition. */
function lastRecords(
  { node: { disk } }: SupervisedNode<LogHost>,
  topic: Topic,
  partition: number,
  count: number,
): StoredRecord[] {
  const path = disk.paths().findLast((name) => name.startsWith(`${topic}/${partition}/`) && name.endsWith('.segment'));
  if (path === undefined) return [];
  const bytes = Buffer.from(disk.peek(path) ?? []);
  const found: StoredRecord[] = [];
  for (let at = bytes.indexOf('TREC'); at >= 0 && at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const sizeBytes = RECORD_HEADER_BYTES + bytes.readUInt32LE(at + VALUE_BYTES_AT);
    const offset = Number(bytes.readBigUInt64LE(at + OFFSET_AT));
    if (at + sizeBytes <= bytes.length) found.push({ topic, partition, offset, path, position: at, sizeBytes });
    at = bytes.indexOf('TREC', at + sizeBytes);
  }
  return found.slice(-count);
}

/** The next offset that the newest sync mark states. */
function syncedNext(bytes: Uint8Array | undefined): number {
  const marks = Buffer.from(bytes ?? []);
  const slots = SLOTS_AT.filter(
    (at) => at + RECORD_HEADER_BYTES <= marks.length && marks.toString('latin1', at, at + 4) === 'TSYN',
  );
  return Math.max(0, ...slots.map((at) => marks.readDoubleLE(at + NEXT_AT)));
}
