import type { Server } from '@grpc/grpc-js';
import type { Access } from '@tidemark/access';
import { IntakeService } from '@tidemark/contract';
import type { ControlFollower } from '@tidemark/control-log';
import { type ProcessHealth, watchIntake } from '@tidemark/health';
import type { HttpApiOptions } from '@tidemark/http-api';
import { httpIntake } from '@tidemark/http-intake';
import {
  type AcceptClock,
  DEFAULT_LANE_TIMING,
  type IntakeOptions,
  IntakeRunner,
  type IntakeSession,
  intakeService,
  RequestIntake,
  sessionClock,
  undecodedRequests,
} from '@tidemark/intake';
import { yieldTurn } from '@tidemark/node-runtime';
import type { Clock, Events, Log, Random, TidemarkError } from '@tidemark/ports';
import type { Started } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';

export interface IntakePorts {
  readonly log: Log;
  /** Max bytes of a record of the log. */
  readonly recordBytes: number;
  readonly control: ControlFollower;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  /** Names the process in `control`: `intake 4711`. */
  readonly name: string;
  /** Answers which series the tag stores know. */
  readonly knownSeries: IntakeOptions['knownSeries'];
  /** Stamps batches; each session has a clock of its own when omitted. */
  readonly acceptClock?: AcceptClock;
  readonly health: ProcessHealth;
  readonly started: Pick<Started, 'add'>;
}

/** Starts the intake of a process, has `health` watch it, and adds its stop to `started`. */
export async function assembleIntake(ports: IntakePorts, settings: Settings): Promise<IntakeRunner> {
  const { log, recordBytes, control, clock, random, events, name, knownSeries, acceptClock } = ports;
  const { health, started } = ports;
  const { retentionMs } = settings.store;
  const keptMs = retentionMs === 0 ? undefined : retentionMs;
  const intake = new IntakeRunner(
    {
      ...{ log, control, clock, random, knownSeries },
      acceptClock: () => acceptClock ?? sessionClock(clock),
      process: name,
      limits: { ...settings.intake, ...settings.point, keptMs },
      timing: { ...settings.lane, recordBytes: Math.min(recordBytes, DEFAULT_LANE_TIMING.recordBytes) },
      budgets: settings.budgets,
      latenessMs: () => settings.completeness.latenessMs,
    },
    events,
  );
  await intake.start();
  started.add(() => intake.stop());
  watchIntake(health, intake);
  return intake;
}

export interface IntakeEndpointPorts {
  /** The session that accepts points now; undefined before the intake started, and between two sessions. */
  readonly session: () => IntakeSession | undefined;
  readonly access: Pick<Access, 'tenantOf'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** The protocols by which an intake accepts points, for the servers of its process. */
export interface IntakeEndpoints {
  readonly register: (server: Server) => void;
  readonly routes: NonNullable<HttpApiOptions['routes']>;
  /** Counts a message that was larger than its limit, by the path of its call. */
  readonly onTooLarge: (path: string) => void;
  /** Counts a request with data that is not accepted. */
  readonly onNotTaken: (error: TidemarkError) => void;
}

/** Creates the gRPC and HTTP endpoints of an intake. */
export function intakeEndpoints(ports: IntakeEndpointPorts, settings: Settings): IntakeEndpoints {
  const { session, access, clock, random } = ports;
  const { requests: limits, remoteWrite, datadog } = settings;
  const requests = new RequestIntake({ session, clock, random, yieldTurn, limits });
  return {
    register: (server) => {
      const slicing = { clock, yieldTurn };
      const service = intakeService({ session, access, requests, yieldTurn, slicing });
      server.addService(undecodedRequests(IntakeService), service);
    },
    routes: (app, { tenantOf, acceptsAnyKey }) => {
      const intake = { intake: requests, tenantOf, acceptsAnyKey, random, clock, yieldTurn };
      httpIntake(app, { ...intake, limits, remoteWrite, datadog });
    },
    onNotTaken: (error) => requests.countError(undefined, error),
    onTooLarge: (path) => {
      if (path === IntakeService.send.path) session()?.violations.count(undefined, 'message_too_large');
    },
  };
}
