import { below, type Clock, type Random, TidemarkError } from '@tidemark/ports';
import type { FaultPlan } from './fault-plan.ts';
import type { Incarnation } from './incarnation.ts';

/** One end of an ordered stream. */
export interface StreamEnd {
  /** Name of the node at the other end. */
  readonly peer: string;
  /** Sends a message in order; no effect after the stream's end. Throws `resource_exhausted` over the limit. */
  send(message: unknown): void;
  /** Sets the receiver of messages. It gets earlier arrivals first. */
  onMessage(task: (message: unknown) => void): void;
  /** Sets the task to call at the end: without an error after the peer's `close`, with `unavailable` after a break. */
  onEnd(task: (error: TidemarkError | undefined) => void): void;
  /** Ends the stream for both ends. Messages sent before still arrive. */
  close(): void;
}

export interface StreamLimits {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultPlan | undefined;
  readonly maxLatencyMs: number;
  readonly detectMs: number;
  readonly maxQueuedMessages: number;
}

type Event = { readonly message: unknown } | { readonly end: TidemarkError | undefined };

/** The messages in transit to one end, and its state. */
class Side {
  readonly incarnation: Incarnation;
  /** Events on the wire, in order. Each has a timer that removes the first one. */
  wire: Event[] = [];
  /** Events that arrived before a listener was set. */
  arrived: Event[] = [];
  lastArrivalMs = 0;
  ended = false;
  onMessage: ((message: unknown) => void) | undefined;
  onEnd: ((error: TidemarkError | undefined) => void) | undefined;

  constructor(incarnation: Incarnation) {
    this.incarnation = incarnation;
  }

  /** Delivers the arrived events for which a listener is set. */
  deliver(): void {
    while (this.incarnation.alive && !this.ended) {
      const event = this.arrived[0];
      if (event === undefined) return;
      if ('message' in event) {
        if (this.onMessage === undefined) return;
        this.arrived.shift();
        this.onMessage(event.message);
      } else {
        if (this.onEnd === undefined) return;
        this.arrived.shift();
        this.ended = true;
        this.onEnd(event.end);
      }
    }
  }
}

/** An ordered stream between two processes. */
export class StreamLink {
  readonly #sides: readonly [Side, Side];
  readonly #limits: StreamLimits;
  readonly #forget: () => void;
  /** True after a break or close: later messages do not arrive. */
  #hasEnded = false;

  constructor(ends: readonly [Incarnation, Incarnation], limits: StreamLimits, forget: () => void) {
    this.#sides = [new Side(ends[0]), new Side(ends[1])];
    this.#limits = limits;
    this.#forget = forget;
  }

  joins(name: string): boolean {
    return this.#sides.some((side) => side.incarnation.name === name);
  }

  end(index: 0 | 1): StreamEnd {
    const own = this.#sides[index];
    const other = this.#sides[1 - index];
    return {
      peer: other.incarnation.name,
      send: (message) => this.#send(own, other, message),
      onMessage: (task) => {
        own.onMessage = task;
        own.deliver();
      },
      onEnd: (task) => {
        own.onEnd = task;
        own.deliver();
      },
      close: () => this.#close(own, other),
    };
  }

  /** Breaks the stream. Each direction loses a suffix of its messages in transit, and both ends get an error. */
  break(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#forget();
    for (const side of this.#sides) {
      side.wire.length = below(this.#limits.random, side.wire.length + 1);
      const error = new TidemarkError('unavailable', 'the stream broke');
      this.#arrive(side, { end: error }, this.#limits.random.next() * this.#limits.detectMs);
    }
  }

  /** Breaks the stream when `incarnation` is one of its ends. */
  lose(incarnation: Incarnation): void {
    if (this.#sides.some((side) => side.incarnation === incarnation)) this.break();
  }

  #send(own: Side, other: Side, message: unknown): void {
    if (this.#hasEnded || own.ended || !own.incarnation.alive) return;
    if (other.wire.length + other.arrived.length >= this.#limits.maxQueuedMessages) {
      throw new TidemarkError('resource_exhausted', 'too many messages in transit in the stream', {
        limit: this.#limits.maxQueuedMessages,
      });
    }
    this.#arrive(other, { message }, this.#latencyMs());
    if (this.#limits.faults?.fires('network.break')) this.break();
  }

  #close(own: Side, other: Side): void {
    if (this.#hasEnded || !own.incarnation.alive) return;
    this.#hasEnded = true;
    this.#forget();
    own.ended = true;
    this.#arrive(other, { end: undefined }, this.#latencyMs());
  }

  #arrive(side: Side, event: Event, delayMs: number): void {
    const { clock } = this.#limits;
    side.wire.push(event);
    const nowMs = clock.monotonicMs();
    side.lastArrivalMs = Math.max(side.lastArrivalMs, nowMs + delayMs);
    // Each timer removes the first event on the wire, so timers of one time may fire in any order. A break removes
    // events, so a timer may find none.
    clock.setTimer(side.lastArrivalMs - nowMs, () => {
      const first = side.wire.shift();
      if (first === undefined) return;
      side.arrived.push(first);
      side.deliver();
    });
  }

  #latencyMs(): number {
    const { random, maxLatencyMs, faults } = this.#limits;
    return random.next() * maxLatencyMs * (faults?.fires('network.delay') ? 100 : 1);
  }
}
