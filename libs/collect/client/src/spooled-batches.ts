import { ByteWriter } from '@tidemark/bytes';
import { Batch, type SendRequest } from '@tidemark/contract';
import { assert, isTidemarkError } from '@tidemark/ports';
import type { BatchQueue } from './batch-queue.ts';
import { givenUp } from './options.ts';
import type { QueuedBatch } from './queued-batch.ts';
import type { RawBatch } from './raw-batch.ts';
import type { SeriesTable } from './series-table.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionRoutes } from './session-routes.ts';
import type { SessionSpool } from './session-spool.ts';
import { isDefined, readStamped, readWaiting } from './stored-batch.ts';

/** Bytes of batches that one commit of the spool makes durable together. */
export const GROUP_BYTES = 8 * 1024 * 1024;

/** The client session whose batches are spooled. */
export interface SpooledSession {
  readonly owner: SessionOwner;
  readonly series: SeriesTable;
  readonly queue: BatchQueue;
  readonly routes: SessionRoutes;
  readonly tenant: string | undefined;
  /** The sequence that the next stamp gets. */
  readonly nextSequence: number;
  /** Called when it is known how many points a batch has, those of equal series and timestamp being one. */
  merged(batch: QueuedBatch, points: number): void;
  giveUp(batch: QueuedBatch, reason: string, field: string, limit: string): void;
  /** Called when waiting batches became durable, or could not. */
  onWaitingSpooled(): void;
}

/**
 * The batches of one client session in its spool: writes them, reads them back, and drops the oldest. A write that fails
 * pauses the spool for `maxBackoffMs`; a batch that can't be read back is given up. Also covered by spool.test.ts.
 */
export class SpooledBatches {
  readonly spool: SessionSpool;
  readonly #session: SpooledSession;
  readonly #shareOut = new ByteWriter();
  #retryMs = 0;
  #dropRequested = false;

  constructor(spool: SessionSpool, session: SpooledSession) {
    this.spool = spool;
    this.#session = session;
  }

  /** When the spool is written again after a failure, monotonic ms; in the past when it is not paused. */
  get retryMs(): number {
    return this.#retryMs;
  }

  get isPaused(): boolean {
    return this.#session.owner.clock.monotonicMs() < this.#retryMs;
  }

  settled(batch: QueuedBatch): void {
    this.spool.settled(batch.number);
  }

  /** Makes stamped batches durable: they may be sent once they have a place. */
  async putStamped(group: readonly QueuedBatch[]): Promise<void> {
    const { spool } = this;
    for (const batch of group) {
      const { stamp, request } = batch;
      if (stamp === undefined || request?.message?.$case !== 'batch' || batch.gone) continue;
      const { number, points, minTimeMs } = batch;
      const record = { number, points, minTimeMs, ...stamp, batch: Batch.encode(request.message.value).finish() };
      spool.addStamped(record, (place) => {
        batch.stampedPlace = place;
        batch.fate.spooled();
        if (batch.gone) spool.settled(number);
      });
    }
    await this.#commit('stamped');
  }

  /**
   * Makes batches durable that wait for their stamp: at most about `GROUP_BYTES` of them, or all `atEnd`. True when some
   * are left.
   */
  async putWaiting(atEnd: boolean): Promise<boolean> {
    const { queue, series } = this.#session;
    if (!atEnd && this.isPaused) return false;
    let groupBytes = 0;
    let more = false;
    for (const batch of queue.waiting.values()) {
      const { number, minTimeMs, raw } = batch;
      if (batch.waitingPlace !== undefined || raw === undefined) continue;
      if (groupBytes >= GROUP_BYTES && !atEnd) {
        more = true;
        break;
      }
      this.#session.merged(batch, raw.encode(series, this.#shareOut));
      batch.attempts++;
      this.spool.addWaiting({ number, points: batch.points, minTimeMs, share: this.#shareOut.take() }, (place) => {
        batch.waitingPlace = place;
        batch.fate.spooled();
        if (batch.gone) this.spool.settled(number);
      });
      groupBytes += raw.sizeBytes;
    }
    if (groupBytes > 0) {
      await this.#commit('waiting');
      this.#session.onWaitingSpooled();
    }
    return more;
  }

  /** Notes that the sends of a batch may leave out so many of its points. */
  async noteUnsure({ number }: QueuedBatch, points: number): Promise<void> {
    await this.#attempt(() => this.spool.addUnsure(number, points));
  }

  /** Writes down which batches are settled. */
  async writeSettled(): Promise<void> {
    if (this.isPaused) return;
    await this.#attempt(() => this.spool.writeSettled(this.#session.nextSequence));
  }

  /** Asks for the oldest batches to be dropped at the next `dropRequested`. */
  requestDrop(): void {
    this.#dropRequested = true;
  }

  /** Gives up the batches of the oldest file, when that was requested. */
  async dropRequested(): Promise<void> {
    if (!this.#dropRequested) return;
    this.#dropRequested = false;
    const { queue, owner } = this.#session;
    await this.#attempt(async () => {
      for (const number of await this.spool.dropOldest(this.#session.nextSequence)) {
        const batch = queue.all.get(number);
        if (batch !== undefined)
          this.#session.giveUp(batch, 'spool_bound', 'spoolBytes', `${owner.options.spoolBytes} bytes`);
      }
      owner.onSpoolGrowth('stamped');
    });
  }

  /** Closes the spool, or deletes it when every batch is settled. */
  async close(): Promise<void> {
    let removed = false;
    await this.#attempt(async () => {
      if (this.#session.queue.all.size === 0) {
        await this.spool.remove();
        removed = true;
        return;
      }
      await this.putWaiting(true);
      await this.spool.writeSettled(this.#session.nextSequence);
    });
    if (!removed) await this.spool.close();
  }

  /** Reads back a batch that waits for its stamp; points whose series were lost count as dropped. */
  async loadRaw(batch: QueuedBatch): Promise<RawBatch | undefined> {
    const { queue, series, owner } = this.#session;
    const place = batch.waitingPlace;
    assert(place !== undefined, 'a batch that is not in memory is in the spool');
    return this.#load(batch, async () => {
      const raw = await readWaiting(this.spool, place, series.length);
      const lost = batch.points - raw.points;
      if (lost > 0 && raw.points > 0 && !batch.gone) {
        owner.counters.droppedPoints += lost;
        owner.counters.reject(givenUp('series_lost', 'spool', 'a good record', lost));
        queue.shrink(batch, lost);
        batch.fate.lost(lost);
      }
      if (raw.points > 0) queue.change(batch, () => batch.holdRaw(raw));
      return raw.points > 0 ? raw : undefined;
    });
  }

  /** Reads back the message of a stamped batch. */
  async loadRequest(batch: QueuedBatch): Promise<SendRequest | undefined> {
    const { queue } = this.#session;
    const place = batch.stampedPlace;
    assert(place !== undefined, 'a batch that is not in memory is in the spool');
    return this.#load(batch, async () => {
      const value = await readStamped(this.spool, place);
      // Not by the tables of now: where definitions of an earlier run were lost, other series have got their refs.
      if (!isDefined(value, batch.refs)) return undefined;
      const request: SendRequest = { message: { $case: 'batch', value } };
      queue.change(batch, () => batch.holdRequest(request));
      return request;
    });
  }

  async #load<T>(batch: QueuedBatch, read: () => Promise<T | undefined>): Promise<T | undefined> {
    let loaded: T | undefined;
    try {
      loaded = await read();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      this.#session.owner.onError(error);
    }
    if (batch.gone) return undefined;
    if (loaded === undefined) this.#session.giveUp(batch, 'spool_unreadable', 'spool', 'a good record');
    return loaded;
  }

  async #commit(added: 'waiting' | 'stamped'): Promise<void> {
    const { tenant, series, routes, owner } = this.#session;
    await this.#attempt(async () => {
      this.spool.define(tenant ?? '', series, routes.all());
      await this.spool.commit(this.#session.nextSequence);
      owner.onSpoolGrowth(added);
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const { clock, options, counters } = this.#session.owner;
      counters.spoolFailures++;
      this.#retryMs = clock.monotonicMs() + options.maxBackoffMs;
      this.#session.owner.onSpoolFailure(error);
    }
  }
}
