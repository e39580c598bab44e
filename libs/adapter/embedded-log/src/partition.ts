import { toHex } from '@tidemark/bytes';
import {
  type Appended,
  type Clock,
  type Disk,
  isMovedError,
  isTidemarkError,
  type LogBounds,
  type LogRecord,
  messageOf,
  type Random,
  type ReadOptions,
  ReusedMemory,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import type { EmbeddedLogLimits } from './embedded-log-limits.ts';
import { findPartition, type OffsetRange } from './find-partition.ts';
import { describeFullDisk } from './full-disk.ts';
import type { LogSpace } from './log-space.ts';
import { PartitionFiles } from './partition-files.ts';
import type { PartitionList } from './partition-list.ts';
import { newProducerState, type ProducerState, ProducerTable } from './producer-table.ts';
import { type AppendQueue, type PendingAppend, type ProducerFlight, ProducerWriter } from './producer-writer.ts';
import { readFromPartition } from './read-partition.ts';
import { PRODUCER_BYTES, RECORD_HEADER_BYTES, writeRecordHeader } from './record-format.ts';
import { LOG_ID_BYTES, partitionFolder, segmentName } from './segment-format.ts';
import { type ActiveSegment, createSegment } from './segment-writer.ts';
import { SparseIndex } from './sparse-index.ts';
import type { SyncMark, SyncMarks } from './sync-mark.ts';
import { TailCache } from './tail-cache.ts';
import { WaitingReads } from './waiting-reads.ts';

const TWO_POW_32 = 2 ** 32;

/** The parts of its log that a partition uses. */
export interface PartitionParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: EmbeddedLogLimits;
  readonly segmentBytes: number;
  readonly space: LogSpace;
  readonly list: PartitionList;
  /** A random number of this opening of the log; its records name it. */
  readonly generation: number;
  /** Called after the readable range of the partition changed. */
  progressed(partition: Partition): void;
}

/** One partition: its active segment, its producers, and the group in flight to the disk. */
export class Partition implements AppendQueue {
  readonly topic: Topic;
  readonly partition: number;
  readonly name: string;
  readonly #parts: PartitionParts;
  readonly #files: PartitionFiles;
  readonly #tail: TailCache;
  /** For groups of which no record is kept in memory. */
  readonly #memory = new ReusedMemory();
  readonly #waiting: WaitingReads;
  readonly #producers: ProducerTable;
  readonly #flights = new WeakMap<ProducerState, ProducerFlight>();
  #bases: number[] = [];
  #sizes = new Map<number, number>();
  #active: ActiveSegment | undefined;
  #first = 0;
  #next = 0;
  /** True when the content of the active segment's file is uncertain: no record is appended to it again. */
  #suspect = false;
  #marks: SyncMarks | undefined;
  /** The newest mark that the file has. */
  #lastMark: SyncMark | undefined;
  #lost: readonly OffsetRange[] = [];
  #id: Uint8Array = new Uint8Array(LOG_ID_BYTES);
  /** As of `ListedPartition`. */
  #remade = 0;
  #pending: PendingAppend[] = [];
  #pendingBytes = 0;
  #work: Promise<void> = Promise.resolve();
  #flushQueued = false;
  #closing = false;
  #closed = false;

  constructor(topic: Topic, partition: number, parts: PartitionParts) {
    this.topic = topic;
    this.partition = partition;
    this.name = `${topic} partition ${partition}`;
    this.#parts = parts;
    const { disk, clock, limits } = parts;
    this.#files = new PartitionFiles(disk, topic, partition, limits);
    this.#tail = new TailCache(limits.tailCacheBytes);
    this.#waiting = new WaitingReads(clock, limits.waitingReads);
    this.#producers = new ProducerTable(limits.producers);
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#next;
  }

  /** Offsets that the opening found no file for: those that were not trimmed before the first one, and those behind the last. */
  get lost(): readonly OffsetRange[] {
    return this.#lost;
  }

  /** Base of the segment of the record before `next`; `next` while no segment can be written. */
  get segment(): number {
    return this.#active?.base ?? this.#next;
  }

  /** Id of the partition, in hex. */
  get id(): string {
    return toHex(this.#id);
  }

  /**
   * Recovers the partition from its folder. Damage never ends it: records that can't be found keep their offsets, and the
   * next record begins a segment above them (docs/decisions/0015).
   */
  async open(): Promise<void> {
    const { topic, partition } = this;
    const { disk, random, list } = this.#parts;
    const listed = list.find(topic, partition);
    const found = await findPartition({ disk, random, topic, partition, listed, producers: this.#producers });
    const { marks, active } = found;
    this.#marks = marks;
    this.#lastMark = found.mark;
    this.#bases = [...found.sizes.keys()];
    for (const [base, sizeBytes] of found.sizes) {
      this.#files.add(base);
      this.#countSegment(base, sizeBytes);
    }
    if (active !== undefined) this.#files.add(active.base).useIndex(active.index);
    this.#active = active;
    this.#id = found.id;
    this.#remade = found.remade;
    if (found.sizes.size > 0) list.note(topic, partition, found);
    this.#first = found.first;
    this.#next = found.next;
    this.#lost = found.lost;
    if (this.#active === undefined) await this.#rollIfSpace();
    if (this.#active === undefined) return;
    await this.#mark(this.#active, this.#next);
    await marks.sync();
  }

  /** Begins the next segment, so that the loss of the records below it is durable; without space the next append does. */
  async #rollIfSpace(): Promise<void> {
    try {
      await this.#roll();
    } catch (error) {
      if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    }
  }

  /**
   * Makes `next` the offset of the next record, unless it is above that already. Records between are lost: a consumer has
   * read more than the log still has. Errors: `resource_exhausted`, the disk's; the next append tries again then.
   */
  async raise(next: number): Promise<void> {
    this.checkOpen();
    await this.#enqueueWork(async () => {
      if (next <= this.#next) return;
      this.#next = next;
      this.#suspect = true;
      try {
        await this.#roll();
      } finally {
        // Readers learn of the new end also when the disk has no space for the segment: consumers above the former end
        // would halt otherwise.
        this.#waiting.wake();
        this.#parts.progressed(this);
      }
    });
  }

  #pathOf(base: number): string {
    return `${partitionFolder(this.topic, this.partition)}/${segmentName(base)}`;
  }

  /** States durably, at the latest with the next sync of the marks, that every record below `next` was synced. */
  async #mark({ base, salt, headerBytes, sizeBytes }: ActiveSegment, next: number): Promise<void> {
    const mark = { id: this.#id, next, first: this.#first, base, salt, headerBytes, sizeBytes };
    if (await this.#marks?.write(mark)) this.#lastMark = mark;
  }

  /** States durably that records below `first` may be trimmed: otherwise they would count as lost at the next start. */
  async #markFirst(first: number): Promise<void> {
    if (this.#lastMark === undefined || this.#marks === undefined) return;
    const mark = { ...this.#lastMark, first };
    if (!(await this.#marks.write(mark))) {
      throw new TidemarkError('unavailable', `${this.name} is not trimmed, because its sync mark can't be written`);
    }
    this.#lastMark = mark;
    await this.#marks.sync();
  }

  /** A writer of the producer `id`: a new one, or one that this partition remembers. */
  writer(id: Uint8Array): ProducerWriter {
    this.checkOpen();
    let state = this.#producers.find(id);
    if (state === undefined) {
      state = newProducerState(Uint8Array.from(id));
      this.#producers.touch(state);
    }
    let flight = this.#flights.get(state);
    if (flight === undefined) {
      flight = { outstanding: undefined, unknownSequence: -1 };
      this.#flights.set(state, flight);
    }
    return new ProducerWriter(this, state, flight);
  }

  async enqueue(state: ProducerState, sequence: number, value: Uint8Array, valueCrc: number): Promise<Appended> {
    this.checkOpen();
    if (this.#closing) throw new TidemarkError('unavailable', 'the log is closing', { topic: this.topic });
    const { limits, space } = this.#parts;
    if (value.length > limits.recordBytes) {
      throw new TidemarkError(
        'invalid_argument',
        `value: ${value.length} bytes (limit: recordBytes ${limits.recordBytes})`,
        { field: 'value', limit: limits.recordBytes, size: value.length },
      );
    }
    const reservedBytes = RECORD_HEADER_BYTES + value.length;
    if (this.#pendingBytes + reservedBytes > limits.pendingBytes && this.#pending.length > 0) {
      throw new TidemarkError(
        'resource_exhausted',
        `${this.name}: ${this.#pendingBytes} bytes wait already (limit: pendingBytes ${limits.pendingBytes}); retry later`,
        { limit: limits.pendingBytes, busy: true },
      );
    }
    space.reserve(this.topic, reservedBytes);
    this.#pendingBytes += reservedBytes;
    return new Promise((resolve, reject) => {
      this.#pending.push({ state, sequence, value, valueCrc, reservedBytes, resolve, reject });
      this.#queueFlush();
    });
  }

  /** Queues one flush behind the work in progress; records that arrive before it starts join its group. */
  #queueFlush(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#enqueueWork(async () => {
      this.#flushQueued = false;
      const group = this.#takeGroup();
      if (this.#pending.length > 0) this.#queueFlush();
      await this.#flush(group);
    });
  }

  #enqueueWork<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#work.then(task);
    this.#work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  #takeGroup(): PendingAppend[] {
    let sizeBytes = 0;
    let count = 0;
    for (const { reservedBytes } of this.#pending) {
      if (count > 0 && sizeBytes + reservedBytes > this.#parts.limits.groupBytes) break;
      sizeBytes += reservedBytes;
      count++;
    }
    const group = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    this.#pendingBytes -= sizeBytes;
    return group;
  }

  async #flush(group: readonly PendingAppend[]): Promise<void> {
    // Where the clock was set back, append times go back, too. The coordinator then corrects the time of the whole log.
    const appendTimeMs = this.#parts.clock.wallMs();
    let records: LogRecord[];
    try {
      records = await this.#store(group, appendTimeMs);
    } catch (error) {
      const failure = storeError(await describeFullDisk(error, this.#parts.disk), this.name);
      for (const append of group) {
        this.#parts.space.unreserve(append.reservedBytes);
        append.reject(failure);
      }
      return;
    }
    this.#next += records.length;
    for (let i = 0; i < group.length; i++) {
      const { state, sequence, value, valueCrc, reservedBytes, resolve } = group[i];
      const { offset } = records[i];
      state.sequence = sequence;
      state.offset = offset;
      state.appendTimeMs = appendTimeMs;
      state.valueCrc = valueCrc;
      state.valueBytes = value.length;
      this.#producers.touch(state);
      this.#parts.space.unreserve(reservedBytes);
      resolve({ offset, appendTimeMs });
    }
    this.#waiting.wake();
    this.#parts.progressed(this);
  }

  /** Writes a group and makes it durable, as one write and one fsync. */
  async #store(group: readonly PendingAppend[], appendTimeMs: number): Promise<LogRecord[]> {
    const { list } = this.#parts;
    let active = this.#active;
    if (active === undefined || this.#suspect || this.#isFull(active)) active = await this.#roll();
    // Already so, unless the disk was full when the log was opened.
    if (!list.isSaved) await list.save();
    const { generation } = this.#parts;
    const sizeBytes = group.reduce((size, { value }) => size + RECORD_HEADER_BYTES + value.length, 0);
    const isKept = this.#tail.keeps(sizeBytes);
    const buffer = isKept ? Buffer.allocUnsafeSlow(sizeBytes) : this.#memory.take(sizeBytes);
    const { records, positions } = encodeGroup(buffer, group, { next: this.#next, appendTimeMs, generation }, active);
    try {
      await active.file.write(buffer, active.sizeBytes);
    } catch (error) {
      this.#suspect = true;
      // The error may mean "not stored" only when no part of the group can reappear after a crash.
      if (isTidemarkError(error, 'resource_exhausted') && (await this.#undo(active))) throw error;
      throw new TidemarkError('unavailable', `a write failed: ${messageOf(error)}`, {}, { cause: error });
    }
    try {
      await active.file.sync();
    } catch (error) {
      // The page cache may differ from the disk now: no record is appended to this file again. The next group begins a
      // new segment, whose base ends this one before the failed group.
      this.#suspect = true;
      throw new TidemarkError('unavailable', `an fsync failed: ${messageOf(error)}`, {}, { cause: error });
    }
    for (let i = 0; i < records.length; i++) active.index.note(records[i].offset, positions[i]);
    active.sizeBytes += sizeBytes;
    await this.#mark(active, this.#next + records.length);
    this.#countSegment(active.base, active.sizeBytes);
    if (isKept) this.#tail.add(records, sizeBytes);
    else this.#tail.passOver(sizeBytes);
    return records;
  }

  /**
   * A segment ends only when its records take as many bytes as its head: the state of thousands of producers may be larger
   * than a small `segmentBytes`, and each record would begin a segment with all of it.
   */
  #isFull({ sizeBytes, headerBytes }: ActiveSegment): boolean {
    return sizeBytes >= Math.max(this.#parts.segmentBytes, 2 * headerBytes);
  }

  /** Undoes a write that failed for lack of space. True when the file certainly ends at its last record. */
  async #undo(active: ActiveSegment): Promise<boolean> {
    try {
      await active.file.truncate(active.sizeBytes);
      await active.file.sync();
      this.#suspect = false;
      return true;
    } catch {
      return false;
    }
  }

  /** Begins a new segment at `next`. */
  async #roll(): Promise<ActiveSegment> {
    const old = this.#active;
    const base = this.#next;
    const salt = Math.floor(this.#parts.random.next() * TWO_POW_32);
    const header = {
      topic: this.topic,
      partition: this.partition,
      id: this.#id,
      base,
      salt,
      producers: [...this.#producers.states()].filter((state) => state.sequence >= 0),
    };
    // A roll that fails halfway may have made the new file: no record is appended to the old one in any case.
    this.#suspect = true;
    const { file, headerBytes } = await createSegment(this.#parts.disk, header);
    this.#parts.list.note(this.topic, this.partition, { id: this.#id, remade: this.#remade });
    const index = new SparseIndex(base, headerBytes);
    const active = { base, salt, headerBytes, file, index, sizeBytes: headerBytes };
    this.#active = active;
    this.#suspect = false;
    if (this.#bases[this.#bases.length - 1] !== base) this.#bases.push(base);
    this.#countSegment(base, headerBytes);
    this.#files.add(base).useIndex(index);
    if (old !== undefined) {
      // Bytes behind the last record are beyond the segment's end, and only use space.
      if (old.base !== base) await old.file.truncate(old.sizeBytes).catch(() => undefined);
      await old.file.close().catch(() => undefined);
    }
    return active;
  }

  #countSegment(base: number, sizeBytes: number): void {
    this.#parts.space.store(sizeBytes - (this.#sizes.get(base) ?? 0));
    this.#sizes.set(base, sizeBytes);
  }

  async read(from: number, options: ReadOptions): Promise<LogRecord[]> {
    return readFromPartition(
      this,
      this.#waiting,
      from,
      options,
      (next) => this.#tail.read(from, options.maxBytes) ?? this.#files.read(from, next, options),
    );
  }

  bounds(): LogBounds {
    this.checkOpen();
    return { first: this.#first, next: this.#next, id: this.id };
  }

  /** Deletes the segments whose records are all below `before`. */
  async trim(before: number): Promise<void> {
    this.checkOpen();
    await this.#enqueueWork(async () => {
      const firstBefore = this.#first;
      const first = this.#bases.findLast((base) => base <= before) ?? firstBefore;
      if (first > firstBefore) await this.#markFirst(first);
      while (this.#bases.length > 1 && this.#bases[1] <= before) {
        const base = this.#bases[0];
        this.#first = this.#bases[1];
        await this.#files.dropBelow(this.#first);
        await this.#parts.disk.remove(this.#pathOf(base));
        this.#bases.shift();
        this.#countSegment(base, 0);
        this.#sizes.delete(base);
      }
      if (this.#first !== firstBefore) this.#parts.progressed(this);
    });
  }

  /** Makes the queued records durable, then closes the files. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    while (this.#flushQueued) await this.#work;
    this.#closed = true;
    await this.#work;
    this.#waiting.wake();
    await this.#files.close();
    await this.#active?.file.close();
    // Without this sync the next start has the marks that the system has written by itself.
    await this.#marks?.sync().catch(() => undefined);
    await this.#marks?.close();
  }

  /** Throws when the log was closed. */
  checkOpen(): void {
    if (this.#closed) throw new TidemarkError('unavailable', `the log is closed`, { topic: this.topic });
  }
}

/** Writes the records of a group into `buffer`, which has their size. */
function encodeGroup(
  buffer: Buffer,
  group: readonly PendingAppend[],
  { next, appendTimeMs, generation }: { next: number; appendTimeMs: number; generation: number },
  active: ActiveSegment,
) {
  const records: LogRecord[] = [];
  const positions: number[] = [];
  let at = 0;
  for (let place = 0; place < group.length; place++) {
    const { state, sequence, value, valueCrc } = group[place];
    const header = { valueCrc, valueBytes: value.length, place, offset: next + place, appendTimeMs, sequence };
    writeRecordHeader(buffer, at, { ...header, generation, producer: state.producer }, active.salt);
    buffer.set(value, at + RECORD_HEADER_BYTES);
    const end = at + RECORD_HEADER_BYTES + value.length;
    const stored = buffer.subarray(at + RECORD_HEADER_BYTES, end);
    records.push({ offset: next + place, appendTimeMs, value: stored, generation });
    positions.push(active.sizeBytes + at);
    at = end;
  }
  return { records, positions };
}

/** The error of a failed append. `resource_exhausted` means "not stored"; `unavailable` leaves the outcome unknown. */
function storeError(error: unknown, name: string): TidemarkError {
  const isFull = isTidemarkError(error, 'resource_exhausted');
  return new TidemarkError(
    isFull ? 'resource_exhausted' : 'unavailable',
    `cannot append to ${name}: ${messageOf(error)}`,
    {
      partition: name,
      ...(isFull && error.detail.errno !== undefined ? { errno: error.detail.errno } : {}),
      ...(isMovedError(error) ? { moved: true } : {}),
    },
    { cause: error },
  );
}

/** A random producer identity, so that no two writers of any run share one. */
export function newProducerId(random: Random): Uint8Array {
  return random.bytes(PRODUCER_BYTES);
}
