import { toHex } from '@tidemark/bytes';
import { BatchResult_Outcome, type SendReply, type SendRequest } from '@tidemark/contract';
import { ControlFollower } from '@tidemark/control';
import { DEFAULT_INTAKE_LIMITS, type IntakeOptions, IntakeSession, sessionClock } from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { type Clock, isTidemarkError, type Random, sleep, TidemarkError } from '@tidemark/ports';
import type { NetworkEndpoint, StreamEnd } from '@tidemark/simulation';
import type { Ledger } from './ledger.ts';
import { RemoteLog } from './remote-log.ts';
import { TENANT } from './series.ts';
import { LANE_TIMING } from './settings.ts';
import type { OfferedShare, Wiring } from './wiring.ts';

export interface IntakeHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly wiring: Wiring;
  readonly ledger: Ledger;
  /** For what must never happen: an error that is no TidemarkError. */
  readonly failed: (error: unknown) => void;
}

const RESTART_MS = 1000;
const CLOCK_LOOK_MS = 2000;

/** An intake's process: a session after the other, and its clients' streams. */
export class IntakeHost {
  readonly #options: IntakeHostOptions;
  readonly #control: ControlFollower;
  #session: IntakeSession | undefined;
  #isStopping = false;

  constructor(options: IntakeHostOptions) {
    this.#options = options;
    this.#control = new ControlFollower(options.wiring.intakeControl(this.#log()), options.clock);
  }

  get session(): IntakeSession | undefined {
    return this.#session;
  }

  async start(): Promise<void> {
    await this.#control.start();
    this.#options.network.listen('intake', (stream) => this.#serve(stream));
    this.#run().catch(this.#options.failed);
  }

  /** Leaves in good order. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#session?.close();
  }

  #log(): RemoteLog {
    return new RemoteLog(this.#options.network, this.#options.random, this.#options.clock);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#isStopping) {
      try {
        await this.#runSession();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
      }
      await sleep(clock, RESTART_MS);
    }
  }

  async #runSession(): Promise<void> {
    const { clock, random, name, wiring, ledger } = this.#options;
    if (this.#control.state.map === undefined) return;
    const ended = Promise.withResolvers<void>();
    const session = new WatchedSession(
      {
        log: wiring.intakeLog(this.#log(), clock),
        control: this.#control,
        clock,
        acceptClock: sessionClock(clock),
        random,
        process: name,
        limits: {
          ...DEFAULT_INTAKE_LIMITS,
          ...DEFAULT_POINT_LIMITS,
          window: 16,
          laneQueueBytes: 4096,
          queueBytes: 6144,
        },
        timing: wiring.timing(LANE_TIMING),
        knownSeries: async (_partition, _tenant, ids) => ids.map(() => true),
        onEnded: () => ended.resolve(),
      },
      wiring,
      ledger,
    );
    await session.start();
    ledger.sessions++;
    this.#session = session;
    await Promise.race([ended.promise, this.#clockIsOff(session)]);
    this.#session = undefined;
    await session.close();
  }

  /** Resolves when the session's clock is off at two looks: the next session reads the clock anew. */
  async #clockIsOff(session: IntakeSession): Promise<void> {
    for (let wasOff = false; this.#session === session; ) {
      await sleep(this.#options.clock, CLOCK_LOOK_MS);
      if (wasOff && session.isClockOff) return;
      wasOff = session.isClockOff;
    }
  }

  /** As the gRPC service does: one message at a time; an error, or another session, ends the stream. */
  #serve(end: StreamEnd): void {
    const session = this.#session;
    const messages: SendRequest[] = [];
    let isOpen = true;
    let isBusy = false;
    let clientSession = '';
    end.onEnd(() => {
      isOpen = false;
      if (stream !== undefined) session?.closeStream(stream);
    });
    const finish = () => {
      isOpen = false;
      if (stream !== undefined) session?.closeStream(stream);
      end.close();
    };
    const stream = session?.openStream(TENANT, (reply: SendReply) => {
      this.#hear(clientSession, reply);
      if (isOpen) end.send(reply);
    });
    if (stream === undefined || session === undefined) {
      finish();
      return;
    }
    const work = async () => {
      isBusy = true;
      for (let message = messages.shift(); message !== undefined && isOpen; message = messages.shift()) {
        if (message.message?.$case === 'hello') clientSession = toHex(message.message.value.clientSession);
        try {
          await stream.receive(message);
        } catch (error) {
          if (!isTidemarkError(error)) throw error;
          return finish();
        }
        await session.ready();
        if (this.#session !== session || !session.isAccepting) return finish();
      }
      isBusy = false;
    };
    end.onMessage((message) => {
      messages.push(message as SendRequest);
      if (!isBusy) work().catch(this.#options.failed);
    });
  }

  #hear(clientSession: string, { message }: SendReply): void {
    if (message?.$case !== 'batch' || message.value.outcome === BatchResult_Outcome.RETRY) return;
    const { sequence, outcome, acceptedPoints, rejections } = message.value;
    try {
      if (outcome === BatchResult_Outcome.REFUSED) {
        throw new TidemarkError('internal', `batch ${sequence} was refused: ${rejections[0]?.message}`);
      }
      this.#options.ledger.acked(clientSession, sequence, acceptedPoints);
    } catch (error) {
      this.#options.failed(error);
    }
  }
}

/** A session whose accept times are written down. */
class WatchedSession extends IntakeSession {
  readonly #wiring: Wiring;
  readonly #ledger: Ledger;

  constructor(options: IntakeOptions, wiring: Wiring, ledger: Ledger) {
    super(options);
    this.#wiring = wiring;
    this.#ledger = ledger;
  }

  override offer(partition: number, share: OfferedShare): boolean {
    return this.#wiring.offer(this, partition, share, (to, offered) => {
      const isTaken = super.offer(to, offered);
      const { clientSession, sequence } = offered.span;
      if (isTaken) this.#ledger.accepted(this.session, to, clientSession, sequence, offered);
      return isTaken;
    });
  }
}
