import { ByteReader, compareBytes, crc32c, equalBytes } from '@tidemark/bytes';
import { type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { SegmentSource } from '@tidemark/segment';
import { MAX_TAGS_RECORD_BYTES, readTagRecord } from '@tidemark/tag-records';
import {
  FOOTER_BYTES,
  INDEX_BYTES_LIMIT,
  METRIC_BYTES_LIMIT,
  NAMES_BYTES_LIMIT,
  NAMES_MAGIC,
  NAMES_VERSION,
  type NamedSeries,
  TENANT_BYTES_LIMIT,
} from './names-format.ts';

/** Bytes of the first read: of most objects they have the footer and the index. */
const TAIL_BYTES = 64 * 1024;
/** Bytes of a read of several records at most. */
const READ_BYTES = 1024 * 1024;

/** Whose series are asked for: those of all tenants and metrics where neither is stated. */
export interface NamesQuery {
  readonly tenant?: string;
  readonly metric?: string;
}

/** A record: the names of its first series, and where it is. */
interface RecordPlace {
  readonly tenant: Buffer;
  readonly metric: Buffer;
  readonly series: number;
  readonly offset: number;
  readonly length: number;
}

/** The names and tags of the series of a day, which is an object. Its index is in memory. */
export class NamesObject {
  readonly #source: SegmentSource;
  readonly #records: readonly RecordPlace[];

  private constructor(source: SegmentSource, records: readonly RecordPlace[]) {
    this.#source = source;
    this.#records = records;
  }

  /**
   * Opens an object by one read, or two where its index is long. Errors: those of the source, `data_loss` for anything else,
   * `failed_precondition` for an object of a newer program.
   */
  static async open(source: SegmentSource): Promise<NamesObject> {
    const { sizeBytes } = source;
    if (!(sizeBytes >= FOOTER_BYTES && sizeBytes <= NAMES_BYTES_LIMIT)) {
      throw namesLoss(`${sizeBytes} bytes (limit: ${FOOTER_BYTES} to ${NAMES_BYTES_LIMIT})`);
    }
    const length = Math.min(TAIL_BYTES, sizeBytes);
    const tail = await rangeOf(source, sizeBytes - length, length);
    const { indexBytes, indexCrc, records } = footerOf(tail);
    const end = sizeBytes - FOOTER_BYTES;
    if (indexBytes > INDEX_BYTES_LIMIT || indexBytes > end) throw namesLoss(`an index of ${indexBytes} bytes`);
    const at = end - indexBytes;
    const from = at - (sizeBytes - length);
    const index = from >= 0 ? tail.subarray(from, from + indexBytes) : await rangeOf(source, at, indexBytes);
    if (crc32c(index) !== indexCrc) throw namesLoss('a wrong checksum of the index', { offset: at });
    // The names are views of what was read: of the whole tail otherwise.
    return new NamesObject(source, placesOf(Buffer.from(index), records, at));
  }

  /** Series of all records. */
  get series(): number {
    return this.#records.reduce((sum, { series }) => sum + series, 0);
  }

  /** Series in their order, with their names and tags. Errors: those of the source, `data_loss` for what is damaged. */
  async *read(query: NamesQuery = {}): AsyncGenerator<NamedSeries> {
    for (const reads of readsOf(this.#recordsOf(query))) {
      const { offset } = reads[0];
      const last = reads[reads.length - 1];
      const bytes = await rangeOf(this.#source, offset, last.offset + last.length - offset);
      for (const place of reads) {
        const from = place.offset - offset;
        for (const one of seriesOf(bytes.subarray(from, from + place.length), place)) {
          const { tenant, metric } = one.name;
          if (tenant !== (query.tenant ?? tenant) || metric !== (query.metric ?? metric)) continue;
          yield one;
        }
      }
    }
  }

  /** The records that may have series of a query, ascending. */
  #recordsOf({ tenant, metric }: NamesQuery): RecordPlace[] {
    if (tenant === undefined) return [...this.#records];
    const wanted = { tenant: Buffer.from(tenant), metric: metric === undefined ? undefined : Buffer.from(metric) };
    // A record has series from those of its first name to those of the first name of the next.
    return this.#records.filter((record, i) => {
      const next = this.#records.at(i + 1);
      return compare(record, wanted) <= 0 && (next === undefined || compare(next, wanted) >= 0);
    });
  }
}

/** Compares the first name of a record with what is wanted; a metric that is not stated is equal to any. */
function compare(record: RecordPlace, { tenant, metric }: { tenant: Buffer; metric: Buffer | undefined }): number {
  return compareBytes(record.tenant, tenant) || (metric === undefined ? 0 : compareBytes(record.metric, metric));
}

/** Records that are read together, because they follow each other. */
function* readsOf(records: readonly RecordPlace[]): Generator<readonly RecordPlace[]> {
  let reads: RecordPlace[] = [];
  for (const record of records) {
    const [first] = reads;
    const last = reads.at(-1);
    const follows = last !== undefined && last.offset + last.length === record.offset;
    if (first !== undefined && !(follows && record.offset + record.length - first.offset <= READ_BYTES)) {
      yield reads;
      reads = [];
    }
    reads.push(record);
  }
  if (reads.length > 0) yield reads;
}

function seriesOf(bytes: Uint8Array, { series, offset, length }: RecordPlace): NamedSeries[] {
  const found: NamedSeries[] = [];
  const refuse = (): never => {
    throw namesLoss('a record of anything but names', { offset, length });
  };
  try {
    readTagRecord(bytes, { series: (id, name) => found.push({ id, name }), day: refuse, statement: refuse });
  } catch (error) {
    if (isTidemarkError(error, 'data_loss') && error.detail.offset === undefined) {
      throw namesLoss(error.message, { offset, length });
    }
    throw error;
  }
  if (found.length !== series) {
    throw namesLoss(`a record of ${found.length} series, the index says ${series}`, { offset, length });
  }
  return found;
}

async function rangeOf(source: SegmentSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.readRange(offset, length);
  if (bytes.length !== length) throw namesLoss(`${bytes.length} bytes of a read, not ${length}`, { offset, length });
  return bytes;
}

function footerOf(tail: Uint8Array): { indexBytes: number; indexCrc: number; records: number } {
  const at = tail.length - FOOTER_BYTES;
  const reader = new ByteReader(tail, 'footer of names', at);
  const footer = { indexBytes: reader.u32(), indexCrc: reader.u32(), records: reader.u32() };
  const version = reader.u32();
  const checked = reader.position;
  const crc = reader.u32();
  if (!equalBytes(reader.bytes(NAMES_MAGIC.length), NAMES_MAGIC))
    throw namesLoss('the last bytes are not those of names');
  if (crc !== crc32c(tail.subarray(at, checked))) throw namesLoss('a wrong checksum of the footer');
  if (version > NAMES_VERSION) {
    const text = `names of series have format ${version}, this program reads ${NAMES_VERSION}; update this program`;
    throw new TidemarkError('failed_precondition', text, { version, limit: NAMES_VERSION });
  }
  if (version !== NAMES_VERSION) throw namesLoss(`a footer of version ${version}`);
  return footer;
}

/** Reads the index. Bytes may be hostile: those of anything else are `data_loss`. */
function placesOf(bytes: Uint8Array, records: number, end: number): RecordPlace[] {
  const reader = new ByteReader(bytes, 'index of names');
  const places: RecordPlace[] = [];
  let offset = 0;
  while (reader.remaining > 0) {
    const [tenant, metric] = [reader.sizedBytes(TENANT_BYTES_LIMIT), reader.sizedBytes(METRIC_BYTES_LIMIT)];
    const [series, length] = [reader.varint(), reader.varint()];
    if (series === 0 || length === 0 || length > MAX_TAGS_RECORD_BYTES) {
      reader.fail(`a record of ${series} series and ${length} bytes (limit: 1 to ${MAX_TAGS_RECORD_BYTES} bytes)`);
    }
    const place = { tenant, metric, series, offset, length };
    const before = places.at(-1);
    if (before !== undefined && compare(before, place) > 0) reader.fail('names descend');
    places.push(place);
    offset += length;
  }
  if (places.length !== records) reader.fail(`${places.length} records, the footer says ${records}`);
  if (offset !== end) reader.fail(`records end at ${offset}, the index begins at ${end}`);
  return places;
}

function namesLoss(what: string, where: ErrorDetail = {}): TidemarkError {
  const at = where.offset === undefined ? '' : ` (at byte ${where.offset})`;
  return new TidemarkError('data_loss', `names of series: ${what}${at}`, where);
}
