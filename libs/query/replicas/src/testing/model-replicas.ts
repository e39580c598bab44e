import { type Clock, sleep, TidemarkError } from '@tidemark/ports';
import { ModelStores } from './model-stores.ts';

/** A process of point and tag stores under one name, which can be slow, frozen or down. */
export class ModelReplica {
  readonly name: string;
  readonly stores = new ModelStores();
  /** How long each request takes, ms. */
  delayMs: (request: string) => number = () => 1;
  /** It accepts requests and answers none. */
  isFrozen = false;
  /** No process listens at its address. */
  isDown = false;
  /** Requests that were begun, except polls; and the cancelled ones among them. */
  asked = 0;
  cancelled = 0;
  polls = 0;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.stores.before = async (request, signal) => {
      if (request === 'positions') this.polls++;
      else this.asked++;
      if (this.isDown) throw new TidemarkError('unavailable', 'connection refused');
      if (this.isFrozen)
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      await sleep(clock, this.delayMs(request), signal);
      if (!signal?.aborted) return;
      if (request !== 'positions') this.cancelled++;
      signal.throwIfAborted();
    };
  }

  get points() {
    return { name: this.name, reader: this.stores.pointProcess(), partitions: [...this.stores.watermarksMs.keys()] };
  }

  get tags() {
    return { name: this.name, reader: this.stores.tagProcess(), partitions: [...this.stores.tagsOffsets.keys()] };
  }
}
