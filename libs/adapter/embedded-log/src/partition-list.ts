import { crc32c, fromHex, toHex } from '@tidemark/bytes';
import { type Disk, readSmallFile, type Topic, writeSmallFile } from '@tidemark/ports';
import { TOPICS } from './partition-set.ts';
import { LOG_ID_BYTES, REMADE_STEP } from './segment-format.ts';

const LIST_FILE = 'PARTITIONS';
const HEAD = 'tidemark-partitions 1';
/** Thousands of partitions. */
const LIST_LIMIT_BYTES = 1024 * 1024;
const LINE = new RegExp(
  `^(${TOPICS.join('|')}) (0|[1-9][0-9]{0,8}) ([0-9a-f]{${2 * LOG_ID_BYTES}}) (0|[1-9][0-9]{0,3})$`,
);
/** A partition can be made again so often. */
export const MOST_REMADE = Math.floor(Number.MAX_SAFE_INTEGER / REMADE_STEP);

/** A partition that the log has made, with its place. */
export interface MadePartition extends ListedPartition {
  readonly topic: Topic;
  readonly partition: number;
}

/** What the list has of a partition. */
export interface ListedPartition {
  readonly id: Uint8Array;
  /** How often its folder was gone and was made again: it then continued at this multiple of `REMADE_STEP`. */
  readonly remade: number;
}

/**
 * The partitions that the log has made: the file that distinguishes a new partition from one whose folder is gone. A partition is
 * noted once its first segment is durable, and the list is saved before a record of it is acknowledged. docs/formats/log.md
 * has the format.
 */
export class PartitionList {
  readonly #disk: Disk;
  readonly #partitions: Map<string, ListedPartition>;
  /** Number of changes, and of those that the file has. */
  #noted = 0;
  #saved = 0;
  #saving: Promise<void> | undefined;

  private constructor(disk: Disk, partitions: Map<string, ListedPartition>) {
    this.#disk = disk;
    this.#partitions = partitions;
  }

  /**
   * Reads the list of a folder. One that is missing or damaged is empty: the partitions that are there are noted again, so
   * it takes a second damage to lose one unnoticed. Errors: the disk's.
   */
  static async open(disk: Disk): Promise<PartitionList> {
    const bytes = await readSmallFile(disk, LIST_FILE, LIST_LIMIT_BYTES);
    return new PartitionList(disk, (bytes && decode(bytes.toString('latin1'))) ?? new Map());
  }

  find(topic: Topic, partition: number): ListedPartition | undefined {
    return this.#partitions.get(`${topic} ${partition}`);
  }

  /** All partitions. */
  get made(): MadePartition[] {
    return [...this.#partitions].map(([key, listed]) => {
      const [topic, partition] = key.split(' ');
      return { topic: topic as Topic, partition: Number(partition), ...listed };
    });
  }

  /** The number of partitions that a topic has at least. */
  count(topic: Topic): number {
    const listed = this.made.filter((one) => one.topic === topic);
    return listed.reduce((most, { partition }) => Math.max(most, partition + 1), 0);
  }

  /** Notes a partition whose folder has a segment. `save` makes it durable. */
  note(topic: Topic, partition: number, { id, remade }: ListedPartition): void {
    const known = this.find(topic, partition);
    if (known !== undefined && known.remade === remade && Buffer.compare(known.id, id) === 0) return;
    this.#partitions.set(`${topic} ${partition}`, { id: Uint8Array.from(id), remade });
    this.#noted++;
  }

  /** True when the file has all that was noted. */
  get isSaved(): boolean {
    return this.#saved === this.#noted;
  }

  /** Makes durable what was noted. Errors: the disk's; the next call tries again then. */
  async save(): Promise<void> {
    while (!this.isSaved) {
      this.#saving ??= this.#write().finally(() => {
        this.#saving = undefined;
      });
      await this.#saving;
    }
  }

  async #write(): Promise<void> {
    const noted = this.#noted;
    await writeSmallFile(this.#disk, LIST_FILE, Buffer.from(encode(this.#partitions)));
    this.#saved = noted;
  }
}

function encode(partitions: ReadonlyMap<string, ListedPartition>): string {
  const lines = [...partitions].map(([key, { id, remade }]) => `${key} ${toHex(id)} ${remade}\n`);
  const text = `${HEAD}\n${lines.join('')}`;
  return `${text}${checksumLine(text)}`;
}

function checksumLine(text: string): string {
  return `crc32c ${crc32c(Buffer.from(text)).toString(16).padStart(8, '0')}\n`;
}

/** The partitions of a file; undefined when it is damaged. */
function decode(text: string): Map<string, ListedPartition> | undefined {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const listed = text.slice(0, end);
  if (text.slice(end) !== checksumLine(listed)) return undefined;
  const [head, ...lines] = listed.split('\n').slice(0, -1);
  if (head !== HEAD) return undefined;
  const partitions = new Map<string, ListedPartition>();
  for (const line of lines) {
    const match = LINE.exec(line);
    if (match === null || Number(match[4]) > MOST_REMADE) return undefined;
    partitions.set(`${match[1]} ${match[2]}`, { id: fromHex(match[3]), remade: Number(match[4]) });
  }
  return partitions;
}
