import { AssertionError, type Clock, isTidemarkError, type Random, sleep, TidemarkError } from '@tidemark/ports';
import type { FaultPlan } from './fault-plan.ts';
import type { Incarnation } from './incarnation.ts';
import { type StreamEnd, StreamLink } from './stream-link.ts';

export interface SimulatedNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Faults: `network.drop-request` (not executed), `network.drop-reply` (executed), both `unavailable` to the caller;
   * `network.duplicate-request` (executed twice, one reply counts); `network.delay` (100 times the latency);
   * `network.break` (a stream breaks at a send); `network.late-request` (a request that the caller considers lost is
   * executed up to 30 s later, even when its sender has ended).
   */
  readonly faults?: FaultPlan;
  /**
   * Max latency of a message, ms of virtual time. Default 5. Requests may overtake each other, streams keep their
   * order.
   */
  readonly maxLatencyMs?: number;
  /** Time after which a side detects the loss of the other, ms. Default 1,000. */
  readonly detectMs?: number;
  /** Max messages in transit in one direction of a stream; more throw `resource_exhausted`. Default 10,000. */
  readonly maxQueuedMessages?: number;
}

/** Max delay of a request that its caller considers lost, ms. */
const LATE_MS = 30_000;

/** Answers a request. Bodies are passed by reference: neither side may change one after sending it. */
export type Handler = (body: unknown, from: string) => Promise<unknown>;
/** Accepts a stream that `from` opened. */
export type Acceptor = (stream: StreamEnd, from: string) => void;

/** The network for one process, under its node's name. */
export interface NetworkEndpoint {
  readonly name: string;
  /** Registers the handler of requests of `method`. */
  handle(method: string, handler: Handler): void;
  /** Registers the acceptor of streams to `service`. */
  listen(service: string, acceptor: Acceptor): void;
  /**
   * Sends a request to `to`. Throws the handler's TidemarkError unchanged, any other error as `internal`, and
   * `unavailable` when the request or the reply was lost: the request may then have been, or still be, executed.
   */
  call(to: string, method: string, body: unknown): Promise<unknown>;
  /** Opens an ordered stream to `service` of `to`. Throws `unavailable` when `to` cannot be reached. */
  connect(to: string, service: string): Promise<StreamEnd>;
}

interface Process {
  readonly incarnation: Incarnation;
  readonly handlers: Map<string, Handler>;
  readonly acceptors: Map<string, Acceptor>;
}

/** A network between named nodes. */
export class SimulatedNetwork {
  readonly #options: SimulatedNetworkOptions;
  readonly #processes = new Map<string, Process>();
  readonly #partitions = new Set<string>();
  readonly #links = new Set<StreamLink>();
  #lateRequests = 0;

  constructor(options: SimulatedNetworkOptions) {
    this.#options = options;
  }

  /** Number of requests that their callers consider lost, and that may still be executed. */
  get lateRequests(): number {
    return this.#lateRequests;
  }

  /** Connects a process to the network. At its end it is disconnected, and its streams break. */
  bind(incarnation: Incarnation): NetworkEndpoint {
    const process: Process = { incarnation, handlers: new Map(), acceptors: new Map() };
    const { name } = incarnation;
    if (this.#processes.has(name)) throw new AssertionError(`${name} already has a process on the network`);
    this.#processes.set(name, process);
    incarnation.atEnd(() => {
      this.#processes.delete(name);
      for (const link of this.#links) if (link.joins(name)) link.lose(incarnation);
    });
    return {
      name,
      handle: (method, handler) => void process.handlers.set(method, handler),
      listen: (service, acceptor) => void process.acceptors.set(service, acceptor),
      call: (to, method, body) => incarnation.guard(() => this.#call(name, to, method, body)),
      connect: (to, service) => incarnation.guard(() => this.#connect(process, to, service)),
    };
  }

  /** Cuts `a` from `b`, both ways, until `heal`. Streams between them break. */
  partition(a: string, b: string): void {
    this.#partitions.add(pairOf(a, b));
    for (const link of this.#links) if (link.joins(a) && link.joins(b)) link.break();
  }

  heal(a: string, b: string): void {
    this.#partitions.delete(pairOf(a, b));
  }

  healAll(): void {
    this.#partitions.clear();
  }

  async #call(from: string, to: string, method: string, body: unknown): Promise<unknown> {
    const { clock, faults, detectMs = 1_000 } = this.#options;
    const lost = async (what: string): Promise<never> => {
      await sleep(clock, detectMs);
      throw new TidemarkError('unavailable', `${what} of ${method} to ${to} was lost`, { to, method });
    };
    const twice = faults?.fires('network.duplicate-request') === true;
    await this.#delay();
    if (faults?.fires('network.drop-request') || !this.#reaches(from, to)) {
      this.#maybeLate(from, to, method, body);
      return lost('the request');
    }
    const first = this.#execute(to, from, method, body);
    if (twice) {
      this.#delay()
        .then(() => (this.#reaches(from, to) ? this.#execute(to, from, method, body) : undefined))
        .catch(() => undefined);
    }
    const reply = await first;
    await this.#delay();
    if (reply === 'crashed' || faults?.fires('network.drop-reply') || !this.#reaches(to, from))
      return lost('the reply');
    if ('error' in reply) throw reply.error;
    return reply.value;
  }

  /** Executes a lost request later, by the fault: TCP may retransmit buffered data long after later requests. */
  #maybeLate(from: string, to: string, method: string, body: unknown): void {
    const { clock, random, faults } = this.#options;
    if (faults?.fires('network.late-request') !== true) return;
    this.#lateRequests++;
    clock.setTimer(random.next() ** 2 * LATE_MS, () => {
      this.#lateRequests--;
      if (this.#processes.has(to) && !this.#partitions.has(pairOf(from, to)))
        void this.#execute(to, from, method, body);
    });
  }

  /** Executes a request. It never rejects, so that a lost reply leaves no unhandled rejection. */
  async #execute(
    to: string,
    from: string,
    method: string,
    body: unknown,
  ): Promise<{ value: unknown } | { error: TidemarkError } | 'crashed'> {
    const process = this.#processes.get(to);
    if (process === undefined) return 'crashed';
    const handler = process.handlers.get(method);
    if (handler === undefined) {
      return { error: new TidemarkError('unimplemented', `${to} has no method ${method}`, { to, method }) };
    }
    const { incarnation } = process;
    try {
      return { value: await incarnation.orCrash(Promise.resolve().then(() => handler(body, from))) };
    } catch (error) {
      if (!incarnation.alive) return 'crashed';
      if (isTidemarkError(error)) return { error };
      return {
        error: new TidemarkError('internal', `${method} of ${to} failed: ${String(error)}`, {}, { cause: error }),
      };
    }
  }

  async #connect(process: Process, to: string, service: string): Promise<StreamEnd> {
    const { clock, random, faults, maxLatencyMs = 5, detectMs = 1_000, maxQueuedMessages = 10_000 } = this.#options;
    const { incarnation } = process;
    await this.#delay();
    // A process that has ended opens nothing, and no code receives this result.
    incarnation.assertAlive();
    const peer = this.#processes.get(to);
    if (peer === undefined || !this.#reaches(incarnation.name, to)) {
      await sleep(clock, detectMs);
      throw new TidemarkError('unavailable', `${to} is not reachable`, { to });
    }
    const acceptor = peer.acceptors.get(service);
    if (acceptor === undefined) throw new TidemarkError('unimplemented', `${to} has no service ${service}`, { to });
    const limits = { maxLatencyMs, detectMs, maxQueuedMessages };
    const link = new StreamLink([incarnation, peer.incarnation], { clock, random, faults, ...limits }, () => {
      this.#links.delete(link);
    });
    this.#links.add(link);
    acceptor(link.end(1), incarnation.name);
    await this.#delay();
    return link.end(0);
  }

  #reaches(from: string, to: string): boolean {
    return this.#processes.has(to) && !this.#partitions.has(pairOf(from, to));
  }

  async #delay(): Promise<void> {
    const { clock, random, faults, maxLatencyMs = 5 } = this.#options;
    await sleep(clock, random.next() * maxLatencyMs * (faults?.fires('network.delay') ? 100 : 1));
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
