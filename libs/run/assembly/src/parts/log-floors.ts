import type { EmbeddedLog } from '@tidemark/embedded-log';
import { isTidemarkError, type Topic } from '@tidemark/ports';

interface Floor {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: number;
  readonly logId: string | undefined;
}

/** A partition whose log ended before its store, and the message for an operator. */
export interface LostRecords {
  readonly topic: Topic;
  readonly partition: number;
  readonly message: string;
}

/** The ends of what the stores of a log have committed. No record may get an offset below them. */
export class LogFloors {
  readonly #floors: Floor[] = [];
  readonly #log: Pick<EmbeddedLog, 'bounds' | 'raise' | 'lost'>;

  constructor(log: Pick<EmbeddedLog, 'bounds' | 'raise' | 'lost'>) {
    this.#log = log;
  }

  /** Notes a store that was opened; `logId` is the log that it has read. */
  opened(topic: Topic, partition: number, offset: number, logId: string | undefined): void {
    this.#floors.push({ topic, partition, offset, logId });
  }

  /**
   * Raises the end of each partition to what a store has committed of it. Returns the partitions that had lost records, by that
   * or as the log itself found.
   * Passes on errors of the disk, except a lack of space: then the first append does it.
   */
  async raise(): Promise<LostRecords[]> {
    const lost: LostRecords[] = [];
    for (const { topic, partition, offset, logId } of this.#floors) {
      const { next, id } = await this.#log.bounds(topic, partition);
      // A store of another log halts, and its offsets mean nothing here.
      if (offset <= next || id !== logId) continue;
      const found = `${topic}/${partition} ended at offset ${next}, but its store has records up to ${offset}`;
      const message = `${found}; check the disk. The store keeps what it has, and new records begin there`;
      lost.push({ topic, partition, message });
      try {
        await this.#log.raise(topic, partition, offset);
      } catch (error) {
        if (!isTidemarkError(error, 'resource_exhausted')) throw error;
      }
    }
    return [...lost, ...this.#found(lost)];
  }

  /** Losses that no store can show: it has read less, or no more. */
  #found(known: readonly LostRecords[]): LostRecords[] {
    return this.#log.lost
      .filter(({ topic, partition }) => !known.some((one) => one.topic === topic && one.partition === partition))
      .map(({ topic, partition, from, to, isFolderGone }) => {
        if (isFolderGone) return { topic, partition, message: goneFolder(`log/${topic}/${partition}`) };
        const found = `${topic}/${partition} may have had records from offset ${from} up to ${to}, and no file has them`;
        const kept = 'what a store had read of them is kept, otherwise it halts there';
        return { topic, partition, message: `${found}; check the disk; ${kept}` };
      });
  }
}

function goneFolder(folder: string): string {
  const restore = `stop, and restore ${folder} from a copy, before much is appended to the new one`;
  return `${folder} is gone, with all its records; ${restore}. The stores keep what they had read, and halt where they ended`;
}
