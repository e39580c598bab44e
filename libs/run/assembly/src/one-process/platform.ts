import { join } from 'node:path';
import { Access, isLoopbackAddress, newApiKey } from '@tidemark/access';
import {
  ControlService,
  IntakeService,
  ProcessService,
  QueryService as QueryContract,
  type SeriesCountsRequest,
} from '@tidemark/contract';
import { ControlFollower, followSkips } from '@tidemark/control-log';
import { Coordinator, controlService, countSeries } from '@tidemark/coordinator';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import {
  healthEvents,
  intakeNotReady,
  operatorsOnly,
  ProcessHealth,
  processService,
  watchControl,
  watchCoordinator,
  watchIntake,
  watchStores,
} from '@tidemark/health';
import { httpApi } from '@tidemark/http-api';
import { httpIntake } from '@tidemark/http-intake';
import { IntakeRunner, intakeService, RequestIntake, sessionClock, sessionStatus, toldOf } from '@tidemark/intake';
import { dayOf } from '@tidemark/model';
import { LocalDisk, SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { QueryService, queryService } from '@tidemark/query';
import { GrpcServer, HttpServer, Started, stopEach } from '@tidemark/server';
import { StoreWorkers, storeReaders } from '@tidemark/store-workers';
import { LogTrimmer } from './log-trimmer.ts';
import type { PlatformOptions } from './platform-options.ts';

const SHUTDOWN_MS = 2000;

/**
 * The whole platform in one process: the embedded log, an intake, the coordinator and the query service in this
 * thread, the stores in theirs. Everything speaks the contracts that the cluster speaks.
 */
export class Platform {
  readonly log: EmbeddedLog;
  readonly control: ControlFollower;
  readonly coordinator: Coordinator;
  readonly intake: IntakeRunner;
  readonly stores: StoreWorkers;
  readonly access: Access;
  readonly query: QueryService;
  /** What is wrong with this process, and since when. */
  readonly health: ProcessHealth;
  /** With it an agent of this process may send as the default tenant; it is in this memory only. */
  readonly agentKey: string;
  readonly #grpc: GrpcServer;
  readonly #http: HttpServer;

  private constructor(parts: Omit<Platform, 'httpPort' | 'grpcPort' | 'stop'>, grpc: GrpcServer, http: HttpServer) {
    this.log = parts.log;
    this.control = parts.control;
    this.coordinator = parts.coordinator;
    this.intake = parts.intake;
    this.stores = parts.stores;
    this.access = parts.access;
    this.query = parts.query;
    this.health = parts.health;
    this.agentKey = parts.agentKey;
    this.#grpc = grpc;
    this.#http = http;
  }

  get httpPort(): number {
    return this.#http.port;
  }

  get grpcPort(): number {
    return this.#grpc.port;
  }

  /**
   * Starts everything; resolves when points and queries are taken. Errors: `failed_precondition` (another process has
   * the folder, a newer format, no key exists and `host` is not loopback), `unavailable` (a port is taken), the disk's.
   */
  static async start(options: PlatformOptions): Promise<Platform> {
    const started = new Started();
    try {
      return await Platform.#start(options, started);
    } catch (error) {
      await started.undo();
      throw error;
    }
  }

  static async #start(options: PlatformOptions, started: Started): Promise<Platform> {
    const { folder, clock, partitions, events } = options;
    const random = new SystemRandom();
    const name = `tidemark ${process.pid}`;
    const late: { intake?: IntakeRunner } = {};
    const health = new ProcessHealth({
      process: name,
      clock,
      notReady: () => intakeNotReady(late.intake),
      clients: () => late.intake?.clients.list() ?? [],
      onChange: healthEvents(events),
    });
    health.watchVolume(folder, new LocalDisk(folder));
    health.start();
    started.add(() => health.stop());
    const log = await openEmbeddedLog({
      disk: new LocalDisk(join(folder, 'log')),
      clock,
      random,
      partitions: { points: partitions, tags: partitions, control: 1, windows: 0 },
      limits: options.log,
    });
    started.add(() => log.close());
    const trimmer = new LogTrimmer(log);
    const stores = new StoreWorkers({
      folder,
      log: { kind: 'embedded', folder: join(folder, 'log'), partitions },
      kinds: ['points', 'tags'],
      owned: Array.from({ length: partitions }, (_, partition) => partition),
      threads: options.storeThreads,
      limits: options.points,
      latenessMs: options.latenessMs,
      onCommitted: (topic, partition, offset) => {
        trimmer.committed(topic, partition, offset).then(
          () => health.tell('trim', `${topic}/${partition}`, undefined),
          (error: unknown) => health.tell('trim', `${topic}/${partition}`, asTidemarkError(error)),
        );
      },
      ...watchStores(health, events),
    });
    started.add(() => stores.stop());
    log.onAppend((topic, partition, next, first, segment) => stores.progress(topic, partition, next, first, segment));
    const control = new ControlFollower(log, clock);
    followSkips(control, (skip) => stores.skip(skip));
    await control.start();
    started.add(() => control.stop());
    requireKey(options, control);
    await stores.ready();
    const coordinator = new Coordinator({
      log,
      control,
      clock,
      random,
      process: name,
      partitions,
      tenantSeries: options.tenantSeries,
      metricSeries: options.metricSeries,
      seriesCounts: () => {
        const sinceDay = dayOf(clock.wallMs()) - 1;
        const count = (request: SeriesCountsRequest) => stores.call('tags', 'seriesCounts', request);
        return countSeries(partitions, count, options.metricSeries, sinceDay);
      },
      isAlone: true,
    });
    await coordinator.start();
    started.add(() => coordinator.stop());
    watchControl(health, control);
    watchCoordinator(health, coordinator, control);
    const intake = new IntakeRunner(
      {
        log,
        control,
        clock,
        acceptClock: () => options.acceptClock ?? sessionClock(clock),
        random,
        process: name,
        limits: options.intake,
        timing: options.timing,
        knownSeries: async (partition, tenant, ids) => {
          const request = { partition, tenant, series: Buffer.concat(ids) };
          const { series } = await stores.call('tags', 'seriesTags', request);
          return series.map(({ metric }) => metric !== '');
        },
      },
      events,
    );
    await intake.start();
    started.add(() => intake.stop());
    late.intake = intake;
    watchIntake(health, intake);
    const agentKey = newApiKey(random);
    const access = new Access(control.state, { loopbackNeedsKey: options.loopbackNeedsKey, ownKey: agentKey });
    const readers = storeReaders(stores);
    const query = new QueryService({
      stores: readers,
      maps: () => [...control.state.maps.values()],
      latenessMs: () => options.latenessMs,
      clock,
      sessions: (tenant) => sessionStatus(control.state, toldOf(intake.session, tenant)),
      limits: options.query,
    });
    const grpc = await GrpcServer.listen({
      host: options.host,
      port: options.grpcPort,
      clock,
      messageBytes: options.intake.messageBytes,
      limits: options.grpc,
      onTooLarge: (path) => {
        if (path === IntakeService.send.path) intake.session?.violations.count(undefined, 'message_too_large');
      },
      protoFolder: options.protoFolder,
      register: (server) => {
        server.addService(IntakeService, intakeService({ session: () => intake.session, access }));
        server.addService(
          ControlService,
          controlService(() => ({ coordinator, control, access, stores: readers })),
        );
        server.addService(ProcessService, processService(health, operatorsOnly(access)));
        // The stores' own contracts name tenants freely: they are for query services, never for this port.
        server.addService(QueryContract, queryService(query, access));
      },
    });
    started.add(() => grpc.close(0));
    const requests = new RequestIntake({ session: () => intake.session, clock, random, limits: options.requests });
    const app = httpApi({
      service: query,
      access,
      clock,
      pageFolder: options.pageFolder,
      notReady: () => intakeNotReady(intake),
      statusExtra: options.statusExtra,
      routes: (scope, { tenantOf }) => {
        const { requests: limits, remoteWrite, datadog } = options;
        httpIntake(scope, { intake: requests, tenantOf, random, limits, remoteWrite, datadog });
      },
      limits: options.http,
      logger: options.requestLog,
    });
    const http = await HttpServer.listen(app, options.host, options.httpPort, clock);
    grpc.setServing(true);
    const parts = { log, control, coordinator, intake, stores, access, query, health, agentKey };
    return new Platform(parts, grpc, http);
  }

  /** Takes nothing more, appends what is queued, commits, closes: all of it, then throws the first error. */
  async stop(): Promise<void> {
    this.#grpc.setServing(false);
    // Together: clients wait for the answers to what is queued.
    const closing = [this.intake.stop(), this.#http.close(SHUTDOWN_MS), this.#grpc.close(SHUTDOWN_MS)];
    await Promise.allSettled(closing);
    await stopEach([
      ...closing.map((closed) => () => closed),
      () => this.health.stop(),
      () => this.coordinator.stop(),
      () => this.control.stop(),
      () => this.stores.stop(),
      () => this.log.close(),
    ]);
  }
}

function asTidemarkError(error: unknown): TidemarkError {
  return isTidemarkError(error) ? error : new TidemarkError('internal', String(error), {}, { cause: error });
}

function requireKey({ host, loopbackNeedsKey = false }: PlatformOptions, { state }: ControlFollower): void {
  if (state.keys.size > 0) return;
  if (loopbackNeedsKey) {
    const message = 'no key exists yet, and nobody could make one: start without listen.loopbackNeedsKey, make one';
    throw new TidemarkError('failed_precondition', message, { setting: 'listen.loopbackNeedsKey' });
  }
  if (host === 'localhost' || isLoopbackAddress(host)) return;
  throw new TidemarkError('failed_precondition', `no key exists yet, so only loopback may listen, not ${host}`, {
    setting: 'listen.host',
  });
}
