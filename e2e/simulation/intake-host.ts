import { toHex } from '@tidemark/bytes';
import { BatchResult_Outcome, type SendReply, type SendRequest } from '@tidemark/contract';
import { ControlFollower } from '@tidemark/control-log';
import {
  DEFAULT_INTAKE_LIMITS,
  type IntakeOptions,
  IntakeRunner,
  IntakeSession,
  openStream,
  sessionClock,
} from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { type Clock, isTidemarkError, type Random, TidemarkError } from '@tidemark/ports';
import type { NetworkEndpoint, StreamEnd } from '@tidemark/simulation';
import type { Ledger } from './ledger.ts';
import { RemoteLog } from './remote-log.ts';
import { TENANT } from './series.ts';
import { HALTED_MS, LANE_TIMING, LATENESS_MS } from './settings.ts';
import { Violation } from './violation.ts';
import type { OfferedShare, Wiring } from './wiring.ts';

export interface IntakeHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  readonly wiring: Wiring;
  readonly ledger: Ledger;
  /** Max bytes of a record of `points`, as the settings have it. */
  readonly recordBytes: number;
  /** Called for an error that is not a TidemarkError, which must never happen. */
  readonly failed: (error: unknown) => void;
}

const NO_EVENTS = { info: () => undefined, error: () => undefined };

/** An intake's process: the runner of its sessions, and its clients' streams. */
export class IntakeHost {
  readonly #options: IntakeHostOptions;
  readonly #control: ControlFollower;
  readonly #runner: IntakeRunner;

  constructor(options: IntakeHostOptions) {
    this.#options = options;
    const { clock, random, name, network, wiring, ledger, recordBytes, failed } = options;
    const log = new RemoteLog(network, random, clock);
    this.#control = new ControlFollower(wiring.intakeControl(log), clock);
    this.#runner = new IntakeRunner(
      {
        ...{ log: wiring.intakeLog(log, clock), control: this.#control, clock, random, process: name },
        acceptClock: () => sessionClock(clock),
        limits: {
          ...DEFAULT_INTAKE_LIMITS,
          ...DEFAULT_POINT_LIMITS,
          window: 16,
          laneQueueBytes: 4096,
          queueBytes: 6144,
          haltedMs: HALTED_MS,
        },
        timing: wiring.timing({ ...LANE_TIMING, recordBytes }),
        latenessMs: () => LATENESS_MS,
        knownSeries: async (_partition, _tenant, ids) => ids.map(() => true),
        newSession: (of) => new WatchedSession(of, wiring, ledger),
      },
      { ...NO_EVENTS, fatal: failed },
    );
  }

  async start(): Promise<void> {
    await this.#control.start();
    this.#options.network.listen('intake', (stream) => this.#serve(stream));
    await this.#runner.start();
  }

  /** Stops cleanly. */
  stop(): Promise<void> {
    return this.#runner.stop();
  }

  /** As the gRPC service does: one message at a time; an error, or another session, ends the stream. */
  #serve(end: StreamEnd): void {
    const { session } = this.#runner;
    if (session === undefined) {
      end.close();
      return;
    }
    const messages: SendRequest[] = [];
    let isOpen = true;
    let isBusy = false;
    let clientSession = '';
    end.onEnd(() => {
      isOpen = false;
      stream.close();
    });
    const finish = () => {
      isOpen = false;
      stream.close();
      end.close();
    };
    const stream = openStream(session, TENANT, (reply: SendReply) => {
      this.#hear(clientSession, reply);
      if (isOpen) end.send(reply);
    });
    const work = async () => {
      isBusy = true;
      for (let message = messages.shift(); message !== undefined && isOpen; message = messages.shift()) {
        if (message.message?.$case === 'hello') clientSession = toHex(message.message.value.clientSession);
        try {
          await stream.receive(message);
        } catch (error) {
          if (!isTidemarkError(error)) throw error;
          if (error.code === 'invalid_argument') {
            this.#options.failed(
              new Violation('honest-clients', `a client received an error about its own mistake: ${error.message}`),
            );
          }
          return finish();
        }
        await session.ready();
        if (this.#runner.session !== session || !session.isAccepting) return finish();
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
    ledger.sessions++;
  }

  override offer(partition: number, share: OfferedShare): boolean {
    return this.#wiring.offer(this, partition, share, (to, offered) => {
      const isTaken = super.offer(to, offered);
      const { clientSession, sequence } = offered.span;
      if (isTaken) this.#ledger.accepted(this.session, to, clientSession, sequence, offered);
      else if (this.refusalOf(to).reason === 'partition_halted') this.#ledger.haltedShares++;
      return isTaken;
    });
  }
}
