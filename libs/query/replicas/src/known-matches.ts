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
      this.#keep(key, known);
      return { ...reply, ...known.reply, unchanged: false };
    }
    const { version, metricId, classes, groups } = reply;
    if (version === undefined) this.#forget(key);
    else this.#keep(key, entryOf(key, version, { metricId, classes, groups }));
    return reply;
  }

  #keep(key: string, entry: KnownMatch | undefined): void {
    this.#forget(key);
    if (entry === undefined || entry.bytes > this.#limitBytes) return;
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

function entryOf(key: string, version: Buffer, reply: KnownMatch['reply']): KnownMatch {
  let series = 0;
  let bytes = ENTRY_BYTES + 2 * key.length;
  for (const group of reply.groups) {
    series += group.series.length / ID_BYTES;
    bytes += GROUP_BYTES + group.series.length;
    for (const tag of group.tags) bytes += TAG_BYTES + 2 * tag.length;
  }
  return { version, reply, series, bytes };
}

/** A limit of 0 is none. */
function isAtMost(count: number, limit: number): boolean {
  return limit === 0 || count <= limit;
}
