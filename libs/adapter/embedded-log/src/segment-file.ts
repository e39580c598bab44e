import { crc32c } from '@tidemark/bytes';
import {
  assert,
  type Disk,
  type DiskFile,
  type LogRecord,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { FileWindow, readAt } from './file-window.ts';
import { RECORD_HEADER_BYTES, readRecordHeader } from './record-format.ts';
import { type SegmentStart, salvageStart } from './salvage.ts';
import {
  decodeSegmentHeader,
  partitionFolder,
  REMADE_STEP,
  SEGMENT_PREFIX_BYTES,
  segmentHeaderBytes,
  segmentName,
} from './segment-format.ts';
import { SparseIndex } from './sparse-index.ts';

interface OpenSegment {
  readonly file: DiskFile;
  readonly salt: number;
  readonly index: SparseIndex;
}

/** How much a read returns, and into which memory it reads. */
export type ReadBytes = Pick<ReadOptions, 'maxBytes' | 'memory'>;

/** Headers that one read allows for in addition to its bytes of values. */
const HEADERS_PER_READ = 64;
const MIN_READ_BYTES = 64 * 1024;

/** One segment for readers. The file is opened at the first read, and may be closed between reads. */
export class SegmentFile {
  readonly base: number;
  readonly #disk: Disk;
  readonly #topic: Topic;
  readonly #partition: number;
  readonly #readBytes: number;
  readonly #path: string;
  #opening: Promise<OpenSegment> | undefined;
  #index: SparseIndex | undefined;
  #reads = 0;
  /**
   * Size of the next read. It adapts, so that a reader at the tail reads little at once and a reader behind it much.
   */
  #nextReadBytes = 4 * MIN_READ_BYTES;
  #closeWhenIdle = false;

  constructor(disk: Disk, topic: Topic, partition: number, base: number, readBytes: number) {
    this.#disk = disk;
    this.#topic = topic;
    this.#partition = partition;
    this.base = base;
    this.#readBytes = readBytes;
    this.#path = `${partitionFolder(topic, partition)}/${segmentName(base)}`;
  }

  get isOpen(): boolean {
    return this.#opening !== undefined;
  }

  /** Uses the writer's index of positions, so that no read has to search for them. */
  useIndex(index: SparseIndex): void {
    this.#index = index;
  }

  /**
   * Records from `from` on, of those below `limit`, at most `maxBytes` of values beyond the first. At least one, or
   * `data_loss` whose detail names the lost `offset` and `resumeAt`, the next offset that may be readable.
   */
  async read(from: number, limit: number, options: ReadBytes): Promise<LogRecord[]> {
    assert(from >= this.base && from < limit, `a read at ${from} of segment ${this.base} below ${limit}`);
    this.#reads++;
    try {
      const segment = await this.#open(limit);
      const position = await this.#locate(segment, from, limit);
      return await this.#readFrom(segment, position, from, limit, options);
    } finally {
      this.#reads--;
      if (this.#closeWhenIdle && this.#reads === 0) await this.#close();
    }
  }

  /** Closes the file as soon as no read uses it; a later read opens it again. */
  async close(): Promise<void> {
    if (this.#reads > 0) this.#closeWhenIdle = true;
    else await this.#close();
  }

  async #close(): Promise<void> {
    this.#closeWhenIdle = false;
    const opening = this.#opening;
    this.#opening = undefined;
    const segment = await opening?.catch(() => undefined);
    await segment?.file.close();
  }

  #open(limit: number): Promise<OpenSegment> {
    this.#opening ??= this.#openFile(limit).catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openFile(limit: number): Promise<OpenSegment> {
    const file = await this.#disk.open(this.#path);
    try {
      const { salt, headerBytes } = await this.#start(file, limit);
      this.#index ??= new SparseIndex(this.base, headerBytes);
      return { file, salt, index: this.#index };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #start(file: DiskFile, limit: number): Promise<SegmentStart> {
    try {
      const header = await readSegmentHeader(file, this.#path);
      if (header.base === this.base && header.topic === this.#topic && header.partition === this.#partition)
        return header;
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'data_loss') throw error;
    }
    const salvaged = await salvageStart(file, this.base);
    if (salvaged !== undefined) return salvaged;
    throw this.#lossOf(this.base, limit, 'the header of its segment is damaged');
  }

  async #locate(segment: OpenSegment, target: number, limit: number): Promise<number> {
    let { offset, position } = segment.index.floor(target);
    if (offset === target) return position;
    const window = new FileWindow(segment.file, segment.salt);
    while (offset < target) {
      const header = await window.header(position);
      if (header?.offset === offset) {
        segment.index.note(offset, position);
        position += RECORD_HEADER_BYTES + header.valueBytes;
        offset++;
        continue;
      }
      const after = offset;
      const found = await window.search(position, (other) => other.offset > after && other.offset < limit);
      if (found === undefined || found.header.offset > target) {
        throw this.#lossOf(target, found?.header.offset ?? limit, 'its record is damaged');
      }
      position = found.position;
      offset = found.header.offset;
    }
    return position;
  }

  async #readFrom(
    segment: OpenSegment,
    position: number,
    from: number,
    limit: number,
    { maxBytes, memory }: ReadBytes,
  ): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    const wanted = Math.max(0, maxBytes) + HEADERS_PER_READ * RECORD_HEADER_BYTES;
    const asked = Math.min(wanted, this.#readBytes, this.#nextReadBytes);
    let buffer = await readAt(segment.file, position, asked, memory);
    if (buffer.length === this.#nextReadBytes) this.#nextReadBytes = Math.min(this.#readBytes, 2 * this.#nextReadBytes);
    else if (buffer.length < asked / 4) this.#nextReadBytes = Math.max(MIN_READ_BYTES, this.#nextReadBytes / 2);
    let at = 0;
    let valueBytes = 0;
    let offset = from;
    while (offset < limit) {
      const header = readRecordHeader(buffer, at, segment.salt);
      if (header?.offset !== offset) {
        if (records.length > 0) break;
        throw await this.#lossAt(segment, position, offset, limit);
      }
      if (records.length > 0 && valueBytes + header.valueBytes > maxBytes) break;
      const end = at + RECORD_HEADER_BYTES + header.valueBytes;
      if (end > buffer.length) {
        if (records.length > 0) break;
        if (position + end > (await segment.file.sizeBytes())) {
          throw await this.#lossAt(segment, position + 1, offset, limit);
        }
        buffer = await readAt(segment.file, position, end, memory);
        if (buffer.length < end) throw await this.#lossAt(segment, position + 1, offset, limit);
      }
      const value = buffer.subarray(at + RECORD_HEADER_BYTES, end);
      if (crc32c(value) !== header.valueCrc) {
        if (records.length > 0) break;
        segment.index.noteCursor(offset + 1, position + end);
        throw this.#lossOf(offset, offset + 1, 'its value fails its checksum');
      }
      records.push({ offset, appendTimeMs: header.appendTimeMs, value, generation: header.generation });
      valueBytes += header.valueBytes;
      segment.index.note(offset, position + at);
      at = end;
      offset++;
    }
    segment.index.noteCursor(offset, position + at);
    return records;
  }

  /** The `data_loss` of the record `offset`, whose header at `position` is not whole. */
  async #lossAt(segment: OpenSegment, position: number, offset: number, limit: number): Promise<TidemarkError> {
    const window = new FileWindow(segment.file, segment.salt);
    const found = await window.search(position, (header) => header.offset > offset && header.offset < limit);
    if (found !== undefined) segment.index.noteCursor(found.header.offset, found.position);
    return this.#lossOf(offset, found?.header.offset ?? limit, 'its record is damaged');
  }

  #lossOf(offset: number, resumeAt: number, why: string): TidemarkError {
    const detail = { topic: this.#topic, partition: this.#partition, offset, resumeAt, file: this.#path };
    if (resumeAt % REMADE_STEP === 0) {
      const folder = partitionFolder(this.#topic, this.#partition);
      const gone = `the records of ${this.#topic} partition ${this.#partition} from offset ${offset} on are lost: log/${folder} was gone at a start`;
      return new TidemarkError(
        'data_loss',
        `${gone}; their number is unknown; restore log/${folder} from a copy, or skip them`,
        detail,
      );
    }
    const many = resumeAt > offset + 1 ? ` and the ${resumeAt - offset - 1} after it are` : ' is';
    return new TidemarkError(
      'data_loss',
      `the record at offset ${offset} of ${this.#topic} partition ${this.#partition}${many} lost: ${why}`,
      detail,
    );
  }
}

/**
 * Reads and checks the header of a segment. Errors: `data_loss`, `failed_precondition` (a newer format), the disk's.
 */
export async function readSegmentHeader(file: DiskFile, path: string) {
  const headerBytes = segmentHeaderBytes(await readAt(file, 0, SEGMENT_PREFIX_BYTES), path);
  if (headerBytes > (await file.sizeBytes())) {
    throw new TidemarkError(
      'data_loss',
      `${path}: the header names its size as ${headerBytes} bytes, more than the file has`,
      { path },
    );
  }
  const header = decodeSegmentHeader(await readAt(file, 0, headerBytes), path);
  return { ...header, headerBytes };
}
