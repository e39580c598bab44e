import type { MatchReply, MatchRequest } from '@tidemark/contract';
import { dayOf, ID_BYTES } from '@tidemark/model';
import { methodOf, queryReader, type TagStoreReader } from '@tidemark/store-rpc';

/** What a group takes in memory apart from its ids, and each of its tags. */
const GROUP_BYTES = 256;
const TAG_BYTES = 64;
/** What an entry takes apart from its groups. */
const ENTRY_BYTES = 512;

interface KnownMatch {
  readonly version: Buffer;
  readonly reply: Pick<MatchReply, 'metricId' | 'classes' | 'groups'>;
  readonly series: number;
  readonly bytes: number;
}

/**
 * The series that each tag store found for recent questions. A store is asked again each time, with the version of what
 * is known: it sends groups only when a fact has changed them since. The least recently used are evicted beyond a budget of bytes.
 */
export class KnownMatches {
  readonly #limitBytes: number;
  /** By store and question. */
  readonly #known = new Map<string, KnownMatch>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns a reader that answers as `reader` does. `store` names one partition in one process. */
  of(store: string, reader: TagStoreReader): TagStoreReader {
    return {
      ...queryReader('tags', (method) => methodOf<'tags'>(reader, method)),
      match: (request, signal) => this.#match(store, reader, request, signal),
    };
  }

  async #match(
    store: string,
    reader: TagStoreReader,
    request: MatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<MatchReply> {
    // An empty range has no days.
    if (request.toMs <= request.fromMs) return reader.match(request, signal);
    const key = keyOf(store, request);
    const known = this.#known.get(key);
    // Beyond its limits a question is asked as a new one: the store says which limit it is.
    const isWithin =
      known !== undefined &&
      isAtMost(known.series, request.maxSeries) &&
      isAtMost(known.reply.groups.length, request.maxGroups);
    const knownVersion = isWithin ? known.version : undefined;
    const reply = await reader.match({ ...request, knownVersion }, signal);
    if (reply.unchanged && isWithin) {
      // As the most recently used one.
      this.#forget(key);
      this.#keep(key, known);
      return { ...reply, ...known.reply, unchanged: false };
    }
    this.#forget(key);
    const { version } = reply;
    if (version === undefined) return reply;
    const bytes = bytesOf(key, version, reply);
    // One answer must not evict all others. It is not even copied.
    if (bytes > this.#limitBytes / 2) return reply;
    const entry = entryOf(version, reply, bytes);
    this.#keep(key, entry);
    return { ...reply, ...entry.reply };
  }

  #keep(key: string, entry: KnownMatch): void {
    this.#known.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= this.#limitBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#known.get(key)?.bytes ?? 0;
    this.#known.delete(key);
  }
}

/** Names what groups follow from, apart from the facts of the store: of times only their days. */
function keyOf(store: string, { tenant, metric, filter, groupBy, fromMs, toMs }: MatchRequest): string {
  return JSON.stringify([store, tenant, metric, filter, groupBy, dayOf(fromMs), dayOf(toMs - 1)]);
}

/** What an entry takes in memory, about. */
function bytesOf(key: string, version: Uint8Array, { metricId, groups }: KnownMatch['reply']): number {
  let bytes = ENTRY_BYTES + 2 * key.length + version.length + metricId.length;
  for (const { tags, series } of groups) {
    bytes += GROUP_BYTES + series.length;
    for (const tag of tags) bytes += TAG_BYTES + 2 * tag.length;
  }
  return bytes;
}

/**
 * An entry with copies of all bytes, in one buffer of its own: those of a message may be small parts of buffers that would stay
 * in memory with them.
 */
function entryOf(version: Uint8Array, { metricId, classes, groups }: KnownMatch['reply'], bytes: number): KnownMatch {
  const parts = [version, metricId, ...groups.map((group) => group.series)];
  const all = Buffer.alloc(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  const [ownVersion, ownMetricId, ...ids] = parts.map((part) => {
    all.set(part, at);
    at += part.length;
    return all.subarray(at - part.length, at);
  });
  const own = groups.map((group, i) => ({ ...group, series: ids[i] }));
  const series = ids.reduce((sum, { length }) => sum + length / ID_BYTES, 0);
  return { version: ownVersion, reply: { metricId: ownMetricId, classes, groups: own }, series, bytes };
}

/** A limit of 0 is none. */
function isAtMost(count: number, limit: number): boolean {
  return limit === 0 || count <= limit;
}
