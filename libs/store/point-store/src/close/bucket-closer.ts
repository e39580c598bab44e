import { assert, type Slicing, TidemarkError, WorkSlice } from '@tidemark/ports';
import { bucketKey, PREFIX } from '../keys.ts';
import { type BucketClosing, closingWrite } from '../state/bucket-closing.ts';
import { hashWrite } from '../state/partition-save.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { closeBucket } from './close-bucket.ts';
import { fairSlicing } from './fair-slicing.ts';
import { deleteExpired } from './retention.ts';

/** Ends a run that must not write any more. */
class RunEnds extends Error {}

/**
 * Closes in the background what the commit of a cut has marked: merges the pages of the buckets, records their hashes, and
 * deletes the pages of expired ones, while records are applied and committed. It works on the pages that there were at the cut,
 * so every replica records the same hash, whenever it gets to it. What a restart or an error interrupts is begun again with the
 * bucket that was not closed.
 */
export class BucketCloser {
  readonly #store: PartitionStore;
  readonly #slicing: Slicing | undefined;
  #running: Promise<void> | undefined;
  #mustEnd = false;
  #isStopped = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(store: PartitionStore, slicing: Slicing | undefined) {
    this.#store = store;
    this.#slicing = slicing && fairSlicing(slicing);
  }

  /** True after an error, until a `finish` has succeeded: the next commit tries again. */
  get hasFailed(): boolean {
    return this.#failure !== undefined && !this.#isStopped;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Continues in the background with what is marked. */
  proceed(): void {
    if (!this.#isStopped && this.#failure === undefined && this.#store.closing !== undefined) this.#start();
  }

  /** Closes all that is marked, again after an error. Throws what ends it. */
  async finish(): Promise<void> {
    this.#failure = undefined;
    if (this.#store.closing !== undefined) this.#start();
    await this.ended();
    if (this.#store.closing !== undefined) {
      throw new TidemarkError('unavailable', 'the store of this partition was closed');
    }
  }

  /** Waits for what runs in the background. Throws what ended it. */
  async ended(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** An era begins: nothing more is written before its commit, which marks what is still to be closed. */
  interrupt(): void {
    this.#mustEnd = true;
  }

  /** Waits until an interrupted run has ended. */
  async interrupted(): Promise<void> {
    if (this.#mustEnd) await this.#running;
  }

  /** Ends what runs in the background. The next start of the partition begins it again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#mustEnd = true;
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined) return;
    this.#mustEnd = false;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    const { closing } = this.#store;
    assert(closing !== undefined, 'buckets are marked to be closed');
    try {
      const slice = new WorkSlice(this.#slicing, undefined, () => (this.#mustEnd ? new RunEnds() : undefined));
      for (const bucket of this.#open(closing)) await this.#close(bucket, closing, slice);
      await deleteExpired(this.#store, closing.sequence, (work) => this.#write(work));
      await this.#publish(closing);
    } catch (error) {
      if (!(error instanceof RunEnds)) this.#failure = { error };
    }
  }

  /** Buckets of the mark that are not closed yet, ascending. Clocks that were set back may have opened some that have expired. */
  #open({ through }: BucketClosing): number[] {
    const { buckets, closedBucket, expiredBucket } = this.#store;
    const from = Math.max(closedBucket, expiredBucket);
    return [...buckets].filter((bucket) => bucket > from && bucket <= through).sort((a, b) => a - b);
  }

  async #close(bucket: number, closing: BucketClosing, slice: WorkSlice): Promise<void> {
    const store = this.#store;
    const sum = await closeBucket(store, bucket, closing, slice, (work) => this.#write(work));
    // Only later commits have points of it.
    if (sum === undefined) return;
    const hash = { bucket, offset: closing.offset, hash: sum };
    await this.#write(async () => {
      await store.keyValue.write([hashWrite(hash), closingWrite({ closedBucket: bucket, closing })]);
      // The record of an era may have come meanwhile. Its commit, which waits for this run, deletes the hash.
      if (bucket > closing.through) {
        store.reopened.add(bucket);
        return;
      }
      store.closedBucket = bucket;
      store.reopened.delete(bucket);
      closing.hashes.push(hash);
    });
  }

  /** Ends the close. Its hashes appear together, so that who compares replicas misses none. */
  async #publish(closing: BucketClosing): Promise<void> {
    const store = this.#store;
    const { hashes, keyValue, limits } = store;
    await this.#write(async () => {
      const all = [...hashes, ...closing.hashes];
      const surplus = all.slice(0, Math.max(0, all.length - limits.bucketHashes));
      const deletes = surplus.map(({ bucket }) => ({ key: bucketKey(PREFIX.bucketHash, bucket) }));
      await keyValue.write([...deletes, closingWrite({ closedBucket: closing.through, closing: undefined })]);
      hashes.push(...closing.hashes);
      hashes.splice(0, Math.max(0, hashes.length - limits.bucketHashes));
      store.closedBucket = closing.through;
      store.closing = undefined;
    });
  }

  /** Does a write while nothing reads the store's pages, unless the run must end. */
  #write(work: () => Promise<void>): Promise<void> {
    return this.#store.lock.write(async () => {
      if (this.#mustEnd) throw new RunEnds();
      await work();
    });
  }
}
