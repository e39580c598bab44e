import { fromHex, toHex } from '@tidemark/bytes';
import { type Disk, type DiskLock, isTidemarkError, type TidemarkError } from '@tidemark/ports';
import type { LostPoints } from './damaged-batches.ts';
import { IndexState } from './index-state.ts';
import type { ClientOptions } from './options.ts';
import { type RecoveredSession, recoverSession } from './recover-session.ts';
import { SessionSpool } from './session-spool.ts';
import { MAX_RECORD_BYTES, SPOOL_HEADER_BYTES } from './spool-format.ts';
import { SpoolIndex } from './spool-index.ts';
import { type IndexName, type SessionFiles, SPOOL_FOLDER, sessionsOf } from './spool-names.ts';
import type { ClientCounters } from './stats.ts';

/** Share of `spoolBytes` that batches without a stamp may use. */
const WAITING_SHARE = 0.75;

/** A session whose spool can be asked to make room. */
export interface SpoolUser {
  readonly spool: SessionSpool | undefined;
  /** Gives up the oldest batches of its spool, as soon as it can. */
  dropOldest(): void;
}

export interface RecoveredSpools {
  readonly found: readonly { readonly session: RecoveredSession; readonly spool: SessionSpool }[];
  /** Why some of the folder could not be read; `recover` reads it again. Undefined when nothing else is left. */
  readonly failure: TidemarkError | undefined;
}

/** The spool folder of one client: one folder a client session, one bound over all of them. */
export class Spool {
  readonly #disk: Disk;
  readonly #lock: DiskLock;
  readonly #options: ClientOptions;
  readonly #users = new Set<SpoolUser>();
  /** Spools of settled client sessions that could not be removed. */
  readonly #unremoved = new Set<SessionSpool>();
  /** Client sessions of earlier runs that are not read yet; undefined before the first attempt. */
  #unread: readonly SessionFiles[] | undefined;

  private constructor(disk: Disk, lock: DiskLock, options: ClientOptions) {
    this.#disk = disk;
    this.#lock = lock;
    this.#options = options;
  }

  /** Takes the folder. Errors: `failed_precondition` when another process has it, and the disk's. */
  static async open(disk: Disk, options: ClientOptions): Promise<Spool> {
    return new Spool(disk, await disk.lock(SPOOL_FOLDER), options);
  }

  /**
   * The client sessions of earlier runs that left something to send, oldest first; folders without are deleted. One
   * whose files can't be read is counted, and left for the next call.
   */
  async recover(counters: ClientCounters): Promise<RecoveredSpools> {
    let failure: TidemarkError | undefined;
    const unread: SessionFiles[] = [];
    const found: { session: RecoveredSession; spool: SessionSpool }[] = [];
    const maxFileBytes = this.#fileBytes + MAX_RECORD_BYTES + SPOOL_HEADER_BYTES;
    const isFirst = this.#unread === undefined;
    this.#unread ??= sessionsOf(await this.#disk.list(SPOOL_FOLDER));
    for (const files of this.#unread) {
      const place = { ...files, folder: `${SPOOL_FOLDER}/${files.session}`, clientSession: fromHex(files.session) };
      let isRead = false;
      try {
        const session = await recoverSession(this.#disk, place, maxFileBytes);
        isRead = true;
        const createdMs = 'batches' in session ? session.createdMs : 0;
        const spool = this.#sessionSpool(place.clientSession, createdMs, session, files.indexes);
        counters.spoolBadBytes += session.badBytes;
        await this.#countLost(session.lost, spool, counters);
        if ('batches' in session) found.push({ session, spool });
        else {
          this.#unremoved.add(spool);
          await spool.remove();
          this.#unremoved.delete(spool);
        }
      } catch (error) {
        if (!isTidemarkError(error) || (error.code === 'failed_precondition' && isFirst)) throw error;
        counters.spoolFailures++;
        // One that can't be removed is not read again: what it has lost is counted once in a run.
        if (isRead) continue;
        failure = error;
        unread.push(files);
      }
    }
    this.#unread = unread;
    return { found: found.sort((a, b) => a.session.createdMs - b.session.createdMs), failure };
  }

  /** First says durably that it is counted, so that the next start does not count it again. It counts also on a full disk. */
  async #countLost(lost: LostPoints, spool: SessionSpool, counters: ClientCounters): Promise<void> {
    if (lost.dropped + lost.indeterminate === 0) return;
    try {
      await spool.noteLoss();
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      counters.spoolFailures++;
    }
    counters.lostInSpool(lost);
  }

  /** A spool for a new client session; its folder is made with its first file. */
  create(clientSession: Uint8Array, createdMs: number): SessionSpool {
    return this.#sessionSpool(clientSession, createdMs);
  }

  #sessionSpool(
    clientSession: Uint8Array,
    createdMs: number,
    earlier?: Pick<RecoveredSession, 'index'> & Partial<Pick<RecoveredSession, 'contents'>>,
    indexes: readonly IndexName[] = [],
  ): SessionSpool {
    const folder = `${SPOOL_FOLDER}/${toHex(clientSession)}`;
    const common = { disk: this.#disk, clientSession, createdMs, fileBytes: this.#fileBytes };
    const index = new SpoolIndex(common, earlier?.index ?? new IndexState(), indexes);
    return new SessionSpool({ ...common, folder, index }, earlier?.contents);
  }

  get #fileBytes(): number {
    return Math.min(this.#options.spoolFileBytes, Math.ceil(this.#options.spoolBytes / 16));
  }

  add(user: SpoolUser): void {
    this.#users.add(user);
  }

  /** Ends the use of a spool whose session is settled. One that could not be removed is left to `removeSettled`. */
  delete(user: SpoolUser): void {
    this.#users.delete(user);
    if (user.spool?.isRemoved === false) this.#unremoved.add(user.spool);
  }

  /** True while spools of settled client sessions could not be removed. */
  get hasUnremoved(): boolean {
    return this.#unremoved.size > 0;
  }

  /** Tries again to remove them. Errors: the disk's. */
  async removeSettled(): Promise<void> {
    for (const spool of this.#unremoved) {
      await spool.remove();
      this.#unremoved.delete(spool);
    }
  }

  get sizeBytes(): number {
    let sum = 0;
    for (const spool of this.#unremoved) sum += spool.sizeBytes;
    for (const { spool } of this.#users) if (spool !== undefined) sum += spool.sizeBytes + spool.pendingBytes;
    return sum;
  }

  /**
   * Asks the oldest client session that has batches to drop some, when the bound is exceeded. A part of it is kept for
   * stamps: a spool that is full of waiting batches must not drop some of them because others are being sent.
   */
  keepBound(added: 'waiting' | 'stamped'): void {
    const limitBytes = this.#options.spoolBytes * (added === 'waiting' ? WAITING_SHARE : 1);
    if (this.sizeBytes <= limitBytes) return;
    let oldest: SpoolUser | undefined;
    for (const user of this.#users) {
      if (!user.spool?.canDrop) continue;
      if (oldest?.spool === undefined || user.spool.createdMs < oldest.spool.createdMs) oldest = user;
    }
    oldest?.dropOldest();
  }

  release(): Promise<void> {
    return this.#lock.release();
  }
}
