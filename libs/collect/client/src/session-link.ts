import type { BatchResult, DefinitionsResult } from '@tidemark/contract';
import type { PartitionMap } from '@tidemark/model';
import { backoffMs, TidemarkError } from '@tidemark/ports';
import type { BatchQueue } from './batch-queue.ts';
import type { SessionOwner } from './session-owner.ts';
import { SessionStream, type StreamTerms } from './session-stream.ts';

/** Callbacks of the link of a client session. */
export interface SessionLinkHandlers {
  onMap(map: PartitionMap): void;
  onResult(result: BatchResult): void;
  onDefinitions(result: DefinitionsResult): void;
  /** Called when more may be sent, or the stream has ended. */
  onChange(): void;
}

/**
 * The link of one client session to the platform: one stream at a time, opened to the next address after each failure,
 * with a pause that doubles. It abandons a stream that is not greeted, or that leaves due batches unanswered.
 * Also covered by faults.test.ts.
 */
export class SessionLink {
  readonly #owner: SessionOwner;
  readonly #clientSession: Uint8Array;
  readonly #queue: BatchQueue;
  readonly #handlers: SessionLinkHandlers;
  #tenant: string | undefined;
  #window = 0;
  #maxMessageBytes = 0;
  #stream: SessionStream | undefined;
  #address: number;
  #failures = 0;
  #reconnectMs = 0;
  #greetingDeadlineMs = 0;
  #receivedMs = 0;

  /** `tenant` is the one that an earlier run's spool belongs to. */
  constructor(
    owner: SessionOwner,
    clientSession: Uint8Array,
    queue: BatchQueue,
    handlers: SessionLinkHandlers,
    tenant?: string,
  ) {
    this.#owner = owner;
    this.#clientSession = clientSession;
    this.#queue = queue;
    this.#handlers = handlers;
    this.#tenant = tenant;
    this.#address = Math.floor(owner.random.next() * owner.addresses.length);
  }

  /** The stream that is open, or is being opened. */
  get stream(): SessionStream | undefined {
    return this.#stream;
  }

  /** The tenant of the key; unknown before the first greeting. */
  get tenant(): string | undefined {
    return this.#tenant;
  }

  /** Unsettled batches that the intake accepts at once; 0 before the first greeting. */
  get window(): number {
    return this.#window;
  }

  /** Largest message that the intake accepts, bytes; 0 before the first greeting. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes;
  }

  /** When the link must act although nothing was received, monotonic ms. */
  get nextMs(): number {
    if (this.#stream === undefined) return this.#reconnectMs;
    if (!this.#stream.greeted) return this.#greetingDeadlineMs;
    const silentMs = this.#silentMs(this.#stream);
    return this.#stream.writable ? Math.min(this.#queue.nextDueMs(this.#stream), silentMs) : silentMs;
  }

  /** Abandons a stream past its deadline, and connects when the pause after the last one has passed. */
  keepOpen(): void {
    this.#abandonSilent();
    this.#abandonUngreeted();
    this.#connect();
  }

  /** An intake has answered a batch: the next pause is the shortest again. */
  resetBackoff(): void {
    this.#failures = 0;
  }

  close(): void {
    this.#stream?.close();
  }

  /** When an intake that owes answers counts as silent, monotonic ms. */
  #silentMs(stream: SessionStream): number {
    const { replyTimeoutMs } = this.#owner.options;
    const dueMs = Math.min(this.#queue.nextDueMs(stream), stream.definitions.unansweredSinceMs + replyTimeoutMs);
    return Math.max(dueMs, this.#receivedMs + replyTimeoutMs);
  }

  /** An intake that answers nothing is frozen or broken: another one may accept the points. */
  #abandonSilent(): void {
    const { clock, options } = this.#owner;
    if (!this.#stream?.greeted || clock.monotonicMs() < this.#silentMs(this.#stream)) return;
    const message = `the intake answered nothing for ${options.replyTimeoutMs} ms (limit: replyTimeoutMs)`;
    this.#stream.abandon(new TidemarkError('deadline_exceeded', message));
  }

  #abandonUngreeted(): void {
    const { clock, options } = this.#owner;
    if (this.#stream === undefined || this.#stream.greeted || clock.monotonicMs() < this.#greetingDeadlineMs) return;
    const message = `no greeting within ${options.greetingTimeoutMs} ms`;
    this.#stream.abandon(new TidemarkError('deadline_exceeded', message, { field: 'greetingTimeoutMs' }));
  }

  #connect(): void {
    const { clock, options, connector, addresses } = this.#owner;
    const nowMs = clock.monotonicMs();
    if (this.#stream !== undefined || nowMs < this.#reconnectMs) return;
    this.#greetingDeadlineMs = nowMs + options.greetingTimeoutMs;
    this.#owner.counters.connects++;
    const stream: SessionStream = new SessionStream(clock, connector, addresses[this.#address], {
      amountIntervalMs: () => this.#owner.amountIntervalMs(),
      onGreeting: (terms) => this.#onGreeting(terms),
      onMap: (map) => this.#handlers.onMap(map),
      onResult: (result) => {
        this.#receivedMs = this.#owner.clock.monotonicMs();
        this.#handlers.onResult(result);
      },
      onDefinitions: (result) => {
        this.#receivedMs = this.#owner.clock.monotonicMs();
        this.#handlers.onDefinitions(result);
      },
      onReady: () => this.#handlers.onChange(),
      onFailure: (error) => this.#owner.counters.fail(error),
      onEnd: (error) => this.#onEnd(stream, error),
    });
    this.#stream = stream;
    stream.hello(this.#clientSession, options.name, this.#owner.flushIntervalMs);
  }

  #onEnd(stream: SessionStream, error: TidemarkError | undefined): void {
    if (stream !== this.#stream) return;
    const { clock, options, random, addresses } = this.#owner;
    this.#stream = undefined;
    this.#reconnectMs =
      clock.monotonicMs() + backoffMs(this.#failures++, options.backoffMs, options.maxBackoffMs, random);
    this.#address = (this.#address + 1) % addresses.length;
    if (error !== undefined) this.#owner.onError(error);
    this.#handlers.onChange();
  }

  #onGreeting(terms: StreamTerms): void {
    if (this.#tenant !== undefined && this.#tenant !== terms.tenant) {
      throw new TidemarkError(
        'permission_denied',
        `this client session belongs to tenant ${this.#tenant}, the key to ${terms.tenant}`,
        { tenant: terms.tenant },
      );
    }
    this.#receivedMs = this.#owner.clock.monotonicMs();
    this.#tenant = terms.tenant;
    this.#window = terms.window;
    this.#maxMessageBytes = terms.maxMessageBytes;
    this.#handlers.onMap(terms.map);
    if (terms.latenessMs !== undefined) this.#owner.onLateness(terms.latenessMs);
  }
}
