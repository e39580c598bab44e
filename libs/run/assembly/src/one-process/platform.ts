import { join, resolve } from 'node:path';
import { type Access, newApiKey } from '@tidemark/access';
import { ControlService, type PositionsReply, ProcessService, SnapshotsService } from '@tidemark/contract';
import { ControlFollower, followSkips } from '@tidemark/control-log';
import { type Coordinator, controlService, type StorePosition } from '@tidemark/coordinator';
import { EMBEDDED_LOG_LOCK, type EmbeddedLog } from '@tidemark/embedded-log';
import {
  healthEvents,
  intakeNotReady,
  operatorsOnly,
  ProcessHealth,
  processService,
  watchControl,
  watchMainThread,
} from '@tidemark/health';
import { type IntakeRunner, ownReport, sessionStatus } from '@tidemark/intake';
import { LocalDisk, prepareDataFolder, refuseLockedFolder, SystemRandom } from '@tidemark/node-runtime';
import type { Topic } from '@tidemark/ports';
import type { QueryService } from '@tidemark/query';
import { requireFreePorts, Started, stopEach } from '@tidemark/server';
import {
  type ControlCopyParts,
  ControlCopySchedule,
  type SnapshotSchedule,
  snapshotsService,
} from '@tidemark/snapshots';
import { type StoreReaders, type StoreWorkers, storeReaders } from '@tidemark/store-workers';
import { assembleAccess } from '../parts/assemble-access.ts';
import { assembleCoordinator } from '../parts/assemble-coordinator.ts';
import { assembleIntake, intakeEndpoints } from '../parts/assemble-intake.ts';
import { assembleQuery, registerQuery } from '../parts/assemble-query.ts';
import { Servers } from '../parts/assemble-servers.ts';
import { Pending } from '../parts/pending.ts';
import { StartProgress } from '../parts/start-progress.ts';
import { tenantOfCall } from '../parts/tenant-of-call.ts';
import { openLogAndStores } from './open-log-and-stores.ts';
import type { PlatformContext } from './platform-context.ts';
import { refuseLostPlatform } from './refuse-lost-platform.ts';
import { requireKey } from './require-key.ts';

/** The parts of a platform. */
interface PlatformParts {
  readonly log: EmbeddedLog;
  readonly control: ControlFollower;
  readonly coordinator: Coordinator;
  readonly intake: IntakeRunner;
  readonly stores: StoreWorkers;
  readonly access: Access;
  readonly query: QueryService;
  /** The problems of this process, and since when. */
  readonly health: ProcessHealth;
  /** Key with which an agent of this process sends as the default tenant; it exists in memory only. */
  readonly agentKey: string;
}

/** What `listen` needs. */
interface StartedParts extends PlatformParts {
  readonly snapshots: SnapshotSchedule | undefined;
  readonly readers: StoreReaders;
}

/**
 * The whole platform in one process: the embedded log, an intake, the coordinator and the query service in this
 * thread, the stores in threads of their own. The parts use the same contracts as the processes of a cluster.
 */
export class Platform implements PlatformParts {
  readonly log: EmbeddedLog;
  readonly control: ControlFollower;
  readonly coordinator: Coordinator;
  readonly intake: IntakeRunner;
  readonly stores: StoreWorkers;
  readonly access: Access;
  readonly query: QueryService;
  readonly health: ProcessHealth;
  readonly agentKey: string;
  readonly #servers: Servers;
  readonly #started: Started;

  private constructor(parts: PlatformParts, servers: Servers, started: Started) {
    this.log = parts.log;
    this.control = parts.control;
    this.coordinator = parts.coordinator;
    this.intake = parts.intake;
    this.stores = parts.stores;
    this.access = parts.access;
    this.query = parts.query;
    this.health = parts.health;
    this.agentKey = parts.agentKey;
    this.#servers = servers;
    this.#started = started;
  }

  get httpPort(): number {
    return this.#servers.httpPort;
  }

  get grpcPort(): number {
    return this.#servers.grpcPort;
  }

  /**
   * Starts everything; resolves when points and queries are accepted. Errors: `failed_precondition` (another process
   * uses the folder, a newer format, no key exists and `listen.host` is not loopback), `unavailable` (a port is in
   * use), those of the disk. When a port is in use, nothing has been created or changed.
   */
  static async start(context: PlatformContext): Promise<Platform> {
    await requirePorts(context.settings);
    const started = new Started();
    const progress = new StartProgress(context.clock, context.events, 'opening the log');
    try {
      const parts = await startParts(context, started, progress);
      const servers = await listen(parts, context);
      servers.setServing(true);
      watchMainThread(parts.health, context.clock, started);
      return new Platform(parts, servers, started);
    } catch (error) {
      await started.undo();
      throw error;
    } finally {
      progress.stop();
    }
  }

  /** Stops accepting points, appends the queued ones, commits and closes everything; then throws the first error. */
  async stop(): Promise<void> {
    this.#servers.setServing(false);
    // Together, because clients wait for the replies to queued batches.
    const closing = [this.intake.stop(), this.#servers.close()];
    await Promise.allSettled(closing);
    // Health stops first, because a part that was stopped is not a problem.
    await stopEach([...closing.map((closed) => () => closed), () => this.health.stop(), () => this.#started.stop()]);
  }
}

/**
 * Checks the ports before anything is created. Where the process that has a port is a platform on the same folder, that is
 * the error: another port would not help.
 */
async function requirePorts({ listen: { host }, http, grpc, data }: PlatformContext['settings']): Promise<void> {
  try {
    await requireFreePorts([
      { protocol: 'HTTP', host, port: http.port },
      { protocol: 'health', host, port: http.healthPort },
      { protocol: 'gRPC', host, port: grpc.port },
    ]);
  } catch (error) {
    await refuseLockedFolder(join(resolve(data.folder), 'log', EMBEDDED_LOG_LOCK));
    throw error;
  }
}

async function startParts(context: PlatformContext, started: Started, progress: StartProgress): Promise<StartedParts> {
  const { settings, clock, events, acceptClock } = context;
  const random = new SystemRandom();
  const name = `tidemark ${process.pid}`;
  const folder = resolve(settings.data.folder);
  events.info('starting', { data: folder });
  await prepareDataFolder(folder);
  await refuseLostPlatform(folder, settings);
  const pending = new Pending<IntakeRunner>('the intake');
  const health = new ProcessHealth({
    process: name,
    clock,
    notReady: () => intakeNotReady(pending.ifSet),
    clients: () => pending.ifSet?.clients.list() ?? [],
    onChange: healthEvents(events),
  });
  health.watchVolume(folder, new LocalDisk(folder));
  health.start();
  started.add(() => health.stop());
  const own = { folder, name, clock, random, events, health, started, progress };
  const { log, stores, snapshots, snapshotThread, ready } = await openLogAndStores(own, settings);
  progress.next(() => 'reading what was decided (`control`)');
  const control = new ControlFollower(log, clock);
  followSkips(control, (skip) => stores.skip(skip));
  await control.start();
  started.add(() => control.stop());
  requireKey(settings.listen, control.state);
  const lost = await ready();
  if (snapshotThread !== undefined) {
    copyControl({ control, log, thread: snapshotThread, process: name, clock, health, started });
  }
  progress.next(() => 'starting the coordinator and the intake');
  const ports = { log, control, clock, random, events, name, health, started };
  const coordinator = await assembleCoordinator(
    {
      ...ports,
      countPartition: (request) => stores.call('tags', 'seriesCounts', request),
      storePositions: (signal) => storePositions(stores, signal),
      isAlone: true,
    },
    settings,
  );
  for (const { topic, partition } of lost) if (topic === 'points') await coordinator.fenceEnded(partition);
  watchControl(health, control);
  const knownSeries = async (partition: number, tenant: string, ids: readonly Uint8Array[]) => {
    const { series } = await stores.call('tags', 'seriesTags', { partition, tenant, series: Buffer.concat(ids) });
    return series.map(({ metric }) => metric !== '');
  };
  const intake = await assembleIntake(
    {
      ...ports,
      knownSeries,
      acceptClock,
      recordBytes: settings.log.recordBytes,
    },
    settings,
  );
  pending.set(intake);
  const agentKey = newApiKey(random);
  const access = assembleAccess(() => control.state, settings, agentKey);
  const readers = storeReaders(stores);
  const query = assembleQuery(
    {
      ...{ stores: readers, state: control.state, clock, health },
      followsMaps: false,
      sessions: (tenant) => sessionStatus(control.state, ownReport(intake.session, tenant)),
    },
    settings,
  );
  // Stopped first when the start fails: a part that was stopped is not a problem.
  started.add(() => health.stop());
  return { log, control, coordinator, intake, stores, snapshots, readers, access, query, health, agentKey };
}

/** Keeps what `control` has decided in the object store: without it a lost disk can't be restored. */
function copyControl({
  log,
  started,
  ...parts
}: Omit<ControlCopyParts, 'partitions'> & { readonly log: EmbeddedLog; readonly started: Started }): void {
  const partitions = () => log.made.map((made) => ({ ...made, id: Buffer.from(made.id) }));
  const copies = new ControlCopySchedule({ ...parts, partitions });
  copies.start();
  started.add(() => copies.stop());
}

async function storePositions(stores: StoreWorkers, signal: AbortSignal): Promise<StorePosition[]> {
  const [points, tags] = await Promise.all([stores.positions('points', signal), stores.positions('tags', signal)]);
  const of = (topic: Topic, { positions }: PositionsReply) => positions.map((position) => ({ ...position, topic }));
  return [...of('points', points), ...of('tags', tags)];
}

function listen(parts: StartedParts, context: PlatformContext): Promise<Servers> {
  const { intake, access, query, health, coordinator, control, readers, snapshots } = parts;
  const { settings, clock, events, protoFolder, pageFolder, statusExtra, requestLog: logger } = context;
  const endpoints = intakeEndpoints(
    { session: () => intake.session, access, clock, random: new SystemRandom() },
    settings,
  );
  return Servers.listen(
    {
      ...{ clock, events, protoFolder },
      http: {
        ...{ service: query, access, pageFolder, statusExtra, logger },
        notReady: () => intakeNotReady(intake),
        routes: endpoints.routes,
        onNotTaken: endpoints.onNotTaken,
      },
      grpc: {
        messageBytes: settings.intake.messageBytes,
        onTooLarge: endpoints.onTooLarge,
        tenantOf: tenantOfCall(access),
        // The stores' own contracts let the caller choose the tenant: they are for query services, never for this port.
        register: (server) => {
          endpoints.register(server);
          server.addService(
            ControlService,
            controlService(() => ({ coordinator, control, access, stores: readers })),
          );
          server.addService(ProcessService, processService(health, operatorsOnly(access)));
          server.addService(
            SnapshotsService,
            snapshotsService(() => snapshots, operatorsOnly(access), clock),
          );
          registerQuery(server, query, access, settings, clock);
        },
      },
    },
    settings,
  );
}
