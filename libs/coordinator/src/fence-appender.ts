import { ALL_LANES, encodeBareRecord, RECORD } from '@tidemark/block';
import type { FenceInfo } from '@tidemark/control';
import { type Clock, type Log, SettlingWriter } from '@tidemark/ports';

/** Copies fences from `control` into the partitions that they end promises in. */
export class FenceAppender {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #writers = new Map<number, SettlingWriter>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Resolves once every partition concerned has its copy. A second copy changes nothing for consumers. */
  async append(fence: FenceInfo, partitions: number, signal: AbortSignal): Promise<void> {
    const targets = fence.lane === undefined ? Array.from({ length: partitions }, (_, p) => p) : [fence.lane.partition];
    await Promise.all(
      targets.map((partition) => {
        const value = encodeBareRecord({
          type: RECORD.fence,
          partition,
          session: fence.session,
          lane: fence.lane?.lane ?? ALL_LANES,
          epoch: 0,
          sequence: fence.offset,
          markMs: 0,
          tagsOffset: 0,
          keyframeOffset: -1,
        });
        return this.#writer(partition).append(value, signal);
      }),
    );
  }

  #writer(partition: number): SettlingWriter {
    let writer = this.#writers.get(partition);
    if (writer === undefined) {
      writer = new SettlingWriter(this.#log, 'points', partition, this.#clock);
      this.#writers.set(partition, writer);
    }
    return writer;
  }
}
