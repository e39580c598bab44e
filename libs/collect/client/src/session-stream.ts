import type { BatchResult, DefinitionsResult, Greeting, SendReply, SendRequest, Series } from '@tidemark/contract';
import { KIND, type PartitionMap, SLOTS, unpackSlots } from '@tidemark/model';
import { type Clock, TidemarkError } from '@tidemark/ports';
import type { EpochRoutes } from './epoch-routes.ts';
import type { IntakeConnector, IntakeStream } from './intake-connector.ts';
import { SEQUENCES_SKIPPED } from './recover-session.ts';
import { SentDefinitions } from './sent-definitions.ts';
import type { SeriesTable } from './series-table.ts';

/** Definitions go in messages of about this size, bytes; and of at most so many series. */
const DEFINITION_BYTES = 512 * 1024;
const DEFINITION_SERIES = 10_000;
const MIN_MESSAGE_BYTES = 4096;

/** The terms of an intake's greeting. */
export interface StreamTerms {
  readonly map: PartitionMap;
  readonly window: number;
  readonly maxMessageBytes: number;
  readonly tenant: string;
  /** D, ms; undefined when the intake does not report it. */
  readonly latenessMs: number | undefined;
  /** Newest timestamp that the intake accepts now, ms; undefined when it does not report it. */
  readonly newestMs: number | undefined;
}

/** Callbacks of the stream of a client session. */
export interface SessionStreamHandlers {
  onGreeting(terms: StreamTerms): void;
  /** The interval that amounts belong to, ms: time between two flushes, if it is known. */
  amountIntervalMs(): number | undefined;
  onMap(map: PartitionMap): void;
  onResult(result: BatchResult): void;
  onDefinitions(result: DefinitionsResult): void;
  /** More may be sent. */
  onReady(): void;
  /** An error of this library while it handled a reply; `onEnd` follows. */
  onFailure(error: unknown): void;
  onEnd(error: TidemarkError | undefined): void;
}

/** One stream of a client session, and the definitions that its intake has therefore received. */
export class SessionStream {
  readonly #clock: Clock;
  readonly #stream: IntakeStream;
  readonly #handlers: SessionStreamHandlers;
  readonly definitions = new SentDefinitions();
  #maxMessageBytes = MIN_MESSAGE_BYTES;
  /** What the greeting said of the newest timestamp, less the time of the greeting by the monotonic clock. */
  #newestOffsetMs = Number.POSITIVE_INFINITY;
  #greeted = false;
  #writable = true;
  #over = false;

  constructor(clock: Clock, connector: IntakeConnector, address: string, handlers: SessionStreamHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#stream = connector.connect(address, {
      onReply: (reply) => this.#onReply(reply),
      onEnd: (error) => this.#end(error),
    });
  }

  get greeted(): boolean {
    return this.#greeted;
  }

  /** Largest message that the intake accepts, bytes. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes;
  }

  /** Newest timestamp that the intake accepted at a monotonic time, ms; Infinity when it does not report it. */
  newestMs(atMs: number): number {
    return this.#newestOffsetMs + atMs;
  }

  /** True when a message may be sent now. */
  get writable(): boolean {
    return this.#greeted && this.#writable && !this.#over;
  }

  /** `flushIntervalMs` is the one that the program chose, if it is known. */
  hello(clientSession: Uint8Array, clientName: string, flushIntervalMs: number | undefined): void {
    const value = {
      clientSession: Buffer.from(clientSession),
      clientName,
      flushIntervalMs: flushIntervalMs === undefined ? undefined : Math.round(flushIntervalMs),
    };
    this.send({ message: { $case: 'hello', value } });
  }

  send(request: SendRequest): void {
    if (this.#stream.send(request) || this.#over) return;
    this.#writable = false;
    this.#stream.ready().then(() => {
      this.#writable = true;
      if (!this.#over) this.#handlers.onReady();
    });
  }

  /** Sends the first `refs` definitions of partitions, of those that this stream lacks, while it is writable. */
  define(routes: EpochRoutes, refs: ReadonlyMap<number, number>, series: SeriesTable): void {
    const intervalMs = this.#handlers.amountIntervalMs();
    for (const [partition, end] of refs) {
      const table = routes.tables.get(partition) ?? [];
      let firstRef = this.definitions.count(routes.epoch, partition);
      while (firstRef < end) {
        if (!this.writable) return;
        const count = this.#countFor(table, firstRef, series);
        const part = table.slice(firstRef, Math.min(end, firstRef + count));
        const value = {
          mapEpoch: routes.epoch,
          partition,
          firstRef,
          series: part.map((number) => ({
            ...named(series, number, intervalMs),
            restatesRef: routes.refBefore(number),
          })),
        };
        this.send({ message: { $case: 'definitions', value } });
        firstRef += part.length;
        this.definitions.add(routes.epoch, partition, part.length, this.#clock.monotonicMs());
      }
    }
  }

  #countFor(table: readonly number[], from: number, series: SeriesTable): number {
    const limitBytes = Math.min(DEFINITION_BYTES, this.#maxMessageBytes / 2);
    let sizeBytes = 0;
    let count = 0;
    while (from + count < table.length && count < DEFINITION_SERIES) {
      const { metric, tags } = series.get(table[from + count]);
      // A code unit takes at most three bytes of UTF-8; each field has a tag and a length.
      sizeBytes += 16 + metric.length * 3;
      for (const tag of tags) sizeBytes += 4 + tag.length * 3;
      if (sizeBytes > limitBytes && count > 0) break;
      count++;
    }
    return count;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.close();
  }

  /** Ends the stream as if the other side had. */
  abandon(error: TidemarkError): void {
    if (this.#over) return;
    this.#stream.close();
    this.#end(error);
  }

  #end(error: TidemarkError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.onEnd(error);
  }

  #onReply(reply: SendReply): void {
    if (this.#over) return;
    try {
      this.#takeReply(reply);
    } catch (error) {
      if (error instanceof TidemarkError) {
        this.abandon(error);
        return;
      }
      // Thrown on, it would end the program as an uncaught exception of the socket.
      this.#handlers.onFailure(error);
      this.abandon(new TidemarkError('internal', 'a reply of the intake could not be handled', {}, { cause: error }));
    }
  }

  #takeReply({ message }: SendReply): void {
    switch (message?.$case) {
      case 'greeting': {
        const terms = termsOf(message.value);
        this.#maxMessageBytes = terms.maxMessageBytes;
        this.#greeted = true;
        if (terms.newestMs !== undefined) this.#newestOffsetMs = terms.newestMs - this.#clock.monotonicMs();
        this.#handlers.onGreeting(terms);
        return;
      }
      case 'map':
        // Before the greeting the tenant, and so a series' partition, is not known; the greeting has the map too.
        if (this.#greeted) this.#handlers.onMap(mapOf(message.value));
        return;
      case 'batch':
        this.#handlers.onResult(message.value);
        return;
      case 'definitions':
        this.definitions.answered(message.value);
        this.#handlers.onDefinitions(message.value);
        this.#handlers.onReady();
        return;
      default:
      // A reply of a newer intake: nothing in it concerns this client.
    }
  }
}

function named(series: SeriesTable, number: number, amountIntervalMs: number | undefined): Series {
  const { metric, kind, tags, intervalMs: statedMs } = series.get(number);
  const isAmount = kind === KIND.count || kind === KIND.distribution;
  const flushMs = isAmount && amountIntervalMs !== undefined ? Math.round(amountIntervalMs) : undefined;
  return { metric, kind, tags: [...tags], intervalMs: statedMs ?? flushMs };
}

function termsOf(greeting: Greeting): StreamTerms {
  const { map, window, maxMessageBytes, tenant, latenessMs, newestMs } = greeting;
  if (map === undefined) throw badGreeting('map', 'a partition map', 'none');
  if (window < 1) throw badGreeting('window', 'at least 1', String(window));
  if (maxMessageBytes < MIN_MESSAGE_BYTES) {
    throw badGreeting('max_message_bytes', `at least ${MIN_MESSAGE_BYTES}`, String(maxMessageBytes));
  }
  return {
    map: mapOf(map),
    window: Math.min(window, SEQUENCES_SKIPPED),
    maxMessageBytes,
    tenant,
    latenessMs,
    newestMs,
  };
}

function mapOf(map: { epoch: number; partitions: number; slots: Uint8Array }): PartitionMap {
  if (map.slots.length !== SLOTS * 2) throw badGreeting('map.slots', `${SLOTS * 2} bytes`, `${map.slots.length}`);
  const slots = unpackSlots(map.slots);
  if (slots.some((partition) => partition >= map.partitions)) {
    throw badGreeting('map.slots', `partitions below ${map.partitions}`, 'a greater one');
  }
  return { epoch: map.epoch, partitions: map.partitions, slots };
}

function badGreeting(field: string, limit: string, found: string): TidemarkError {
  return new TidemarkError('failed_precondition', `intake's ${field} is ${found}, it must be ${limit}`, {
    field,
    limit,
  });
}
