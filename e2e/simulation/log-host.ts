import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import {
  type Appended,
  type Clock,
  type Disk,
  isTidemarkError,
  type LogBounds,
  type LogRecord,
  type Random,
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { FaultPlan, NetworkEndpoint } from '@tidemark/simulation';
import { Leadership } from './leadership.ts';
import { type LogCopy, STRANGE_RECORD } from './log-copy.ts';
import type { Placement, ReportedOffset, StoredTopic } from './placement.ts';
import type { AppendRequest, PlaceRequest, ReadRequest, TrimRequest } from './remote-log.ts';
import { LOG_LIMITS, leaderOf, PARTITIONS, POINT_STORES, TAG_STORES } from './settings.ts';

export interface LogHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly disk: Disk;
  readonly network: NetworkEndpoint;
  readonly copy: LogCopy;
  /** Stores of a partition: the log is trimmed below the commits of all of them. */
  readonly placement: Placement;
  /** Counts trims that had an effect. */
  readonly trims: { count: number };
  /** Max bytes of a record of `points`, and the number of larger ones that were refused. */
  readonly recordSize: { readonly maxBytes: number; refused: number };
  readonly isAlive: () => boolean;
  readonly failed: (error: unknown) => void;
}

/** One broker's process: the partitions that it leads. */
export class LogHost {
  readonly #options: LogHostOptions;
  readonly #leadership: Leadership;
  #log: EmbeddedLog | undefined;
  /** Ends of partitions for their stores, which read no later record. */
  readonly #held = new Map<string, number>();

  constructor(options: LogHostOptions) {
    this.#options = options;
    this.#leadership = new Leadership(options.clock, options.random, options.faults);
  }

  async start(): Promise<void> {
    const { name, clock, random, disk, network, copy, placement, isAlive, failed } = this.#options;
    const log = await openEmbeddedLog({
      disk,
      clock,
      random,
      partitions: { points: PARTITIONS, tags: PARTITIONS, control: 1 },
      limits: LOG_LIMITS,
    });
    this.#log = log;
    await copy.follow(log, (topic, partition) => leaderOf(topic, partition) === name, isAlive, failed);
    network.handle('log.append', (body, from) => this.#append(log, body as AppendRequest, from));
    network.handle('log.read', (body, from) => this.#read(log, body as ReadRequest, from));
    network.handle('log.bounds', (body, from) => this.#bounds(log, body as PlaceRequest, from));
    network.handle('log.trim', async (body) => {
      const request = body as TrimRequest;
      await this.#trim(log, request, request.before);
    });
    network.handle('committed', async (body, from) => {
      for (const place of body as ReportedOffset[]) {
        placement.reported(from, place);
        const before = placement.committedByAll(place.topic, place.partition);
        if (before !== undefined) await this.#trim(log, place, before);
      }
    });
  }

  /** Returns no later record of a partition to its stores, until `release` or the end of the process. */
  async hold(topic: StoredTopic, partition: number): Promise<void> {
    try {
      const { next } = (await this.#log?.bounds(topic, partition)) ?? { next: 0 };
      this.#held.set(`${topic}/${partition}`, next);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  release(): void {
    this.#held.clear();
  }

  /** Appends a record that no store can decode, as a foreign program may. */
  async appendStrange(topic: StoredTopic, partition: number): Promise<void> {
    try {
      const writer = await this.#log?.writer(topic, partition);
      await writer?.append(0, STRANGE_RECORD);
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  async #append(log: EmbeddedLog, request: AppendRequest, from: string): Promise<Appended> {
    const { topic, partition, producer, sequence, value } = request;
    const place = `${topic}/${partition}`;
    this.#leadership.check(place);
    this.#leadership.checkAppend(from, place);
    const { recordSize } = this.#options;
    if (topic === 'points' && value.length > recordSize.maxBytes) {
      recordSize.refused++;
      const text = `${place}: a record of ${value.length} bytes (limit: ${recordSize.maxBytes})`;
      throw new TidemarkError('invalid_argument', text);
    }
    const writer = await log.resumeWriter(topic, partition, producer);
    const appended = await writer.append(sequence, value);
    // A leader that was deposed meanwhile has the record, but does not acknowledge it.
    this.#leadership.check(place);
    return appended;
  }

  async #read(log: EmbeddedLog, request: ReadRequest, node: string): Promise<LogRecord[]> {
    const { topic, partition, from, maxBytes, waitMs } = request;
    const place = `${topic}/${partition}`;
    this.#leadership.check(place);
    const { next } = await log.bounds(topic, partition);
    const end = this.#endFor(node, place, next);
    if (end < next && from >= end) {
      // A reader ahead of a deposed leader gets no records from it, and no error.
      await sleep(this.#options.clock, waitMs);
      return [];
    }
    const records = await log.read(topic, partition, from, { maxBytes, waitMs });
    this.#leadership.check(place);
    return records
      .filter(({ offset }) => end === next || offset < end)
      .map((record) => ({ ...record, value: Uint8Array.from(record.value) }));
  }

  #endFor(node: string, place: string, next: number): number {
    const isStore = POINT_STORES.includes(node) || TAG_STORES.includes(node);
    const held = isStore ? this.#held.get(place) : undefined;
    return Math.min(this.#leadership.endFor(node, place, next), held ?? next);
  }

  async #bounds(log: EmbeddedLog, { topic, partition }: PlaceRequest, node: string): Promise<LogBounds> {
    const place = `${topic}/${partition}`;
    this.#leadership.check(place);
    const { first, next } = await log.bounds(topic, partition);
    return { first, next: Math.max(first, this.#leadership.endFor(node, place, next)) };
  }

  async #trim(log: EmbeddedLog, { topic, partition }: PlaceRequest, upTo: number): Promise<void> {
    const { copy, trims } = this.#options;
    const before = Math.min(copy.of(topic, partition).length, upTo);
    try {
      const { first } = await log.bounds(topic, partition);
      await log.trim(topic, partition, before);
      if ((await log.bounds(topic, partition)).first > first) trims.count++;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }
}
