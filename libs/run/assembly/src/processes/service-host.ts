import type { Server } from '@grpc/grpc-js';
import { type Access, isLoopbackAddress, refuseAll } from '@tidemark/access';
import { type ClientHealth, ProcessService } from '@tidemark/contract';
import { type HealthAccess, healthEvents, ProcessHealth, processService, type SessionOf } from '@tidemark/health';
import { type HttpApiOptions, httpApi } from '@tidemark/http-api';
import { sleep } from '@tidemark/ports';
import { GrpcServer, HttpServer, peersOnly, Started, stopEach } from '@tidemark/server';
import { healthAccess } from './health-access.ts';
import { type PeerSecurity, peerSecurity, requireKeyBeyondLoopback } from './peer-security.ts';
import type { Service, ServiceContext } from './service-context.ts';

const HEALTH_MS = 200;
const SHUTDOWN_MS = 2000;

/** For a process that serves only its health over HTTP. */
const HEALTH_ONLY = refuseAll('this port serves health checks only');

export interface HostedService {
  /** Adds the gRPC services; they may be asked before the process is ready. */
  readonly register: (server: Server) => void;
  /** Only processes of the cluster may call, by its key: for services that take their word for tenants. */
  readonly isForPeers: boolean;
  readonly onTooLarge?: (path: string) => void;
  /** Where callers have keys of their own: who may ask for the health. */
  readonly access?: Pick<Access, 'tenantOf'>;
  /** Of an intake, for its health. */
  readonly clients?: () => readonly ClientHealth[];
  /** …and for the status that a query service gives. */
  readonly sessionOf?: SessionOf;
  /** What there is over HTTP beside health. */
  readonly http?: Pick<HttpApiOptions, 'service' | 'access' | 'pageFolder' | 'routes'>;
}

/**
 * What every process of the cluster has: gRPC and HTTP with health, a reason while it is not ready, and a stop that
 * drains. It listens first, so that health says what a start waits for; parts are added as they come.
 */
export class ServiceHost implements Service {
  readonly #context: ServiceContext;
  readonly #grpc: GrpcServer;
  readonly #http: HttpServer;
  readonly #started = new Started();
  readonly peers: PeerSecurity;
  /** What is wrong with this process, and since when; parts tell it as they come. */
  readonly health: ProcessHealth;
  #notReady: () => string | undefined = () => 'starting';
  #isLeaving = false;
  #stopping: Promise<void> | undefined;

  private constructor(
    context: ServiceContext,
    peers: PeerSecurity,
    grpc: GrpcServer,
    http: HttpServer,
    health: ProcessHealth,
  ) {
    this.#context = context;
    this.health = health;
    this.peers = peers;
    this.#grpc = grpc;
    this.#http = http;
  }

  /**
   * Listens, and then lets `prepare` add the parts; when that fails, all is stopped. Errors: `unavailable` (a port is
   * taken), `failed_precondition` (beyond loopback without a key), the files', those of `prepare`.
   */
  static async start(
    context: ServiceContext,
    hosted: HostedService,
    prepare: (host: ServiceHost) => Promise<void>,
  ): Promise<ServiceHost> {
    const host = await ServiceHost.#listen(context, hosted);
    try {
      await prepare(host);
      return host;
    } catch (error) {
      await host.stop().catch((other: unknown) => {
        context.events.error('the start failed, and then a stop', { reason: String(other) });
      });
      throw error;
    }
  }

  static async #listen(context: ServiceContext, hosted: HostedService): Promise<ServiceHost> {
    const { clock, settings, protoFolder } = context;
    const { host } = settings.listen;
    const peers = await peerSecurity(context);
    if (hosted.isForPeers) requireKeyBeyondLoopback(host, peers.key);
    const late: { host?: ServiceHost } = {};
    const notReady = () => (late.host === undefined ? 'starting' : late.host.notReady);
    const { events } = context;
    const health = new ProcessHealth({
      process: context.name,
      clock,
      notReady,
      clients: hosted.clients,
      onChange: healthEvents(events),
    });
    const door: HealthAccess = hosted.isForPeers
      ? () => undefined
      : healthAccess(peers.key, hosted.access ?? HEALTH_ONLY, settings.listen.loopbackNeedsKey);
    const { port, ...limits } = settings.http;
    const app = httpApi({ access: HEALTH_ONLY, ...hosted.http, clock, notReady, limits });
    const http = await HttpServer.listen(app, host, port, clock);
    try {
      const grpc = await GrpcServer.listen({
        host,
        port: settings.grpc.port,
        clock,
        // A query of the most series that it may have names all of them to the stores.
        messageBytes: hosted.isForPeers ? settings.grpc.sendBytes : settings.intake.messageBytes,
        limits: settings.grpc,
        credentials: peers.server,
        interceptors: hosted.isForPeers ? [peersOnly(peers.key, isLoopbackAddress)] : [],
        onTooLarge: hosted.onTooLarge,
        protoFolder,
        register: (server) => {
          server.addService(ProcessService, processService(health, door, hosted.sessionOf));
          hosted.register(server);
        },
      });
      late.host = new ServiceHost(context, peers, grpc, http, health);
      health.start();
      void late.host.#tellHealth();
      return late.host;
    } catch (error) {
      await http.close(0);
      throw error;
    }
  }

  get grpcPort(): number {
    return this.#grpc.port;
  }

  get httpPort(): number {
    return this.#http.port;
  }

  /** Why it can't do its work yet, or any more; undefined when it can. */
  get notReady(): string | undefined {
    return this.#isLeaving ? 'leaving' : this.#notReady();
  }

  /** What `notReady` says until the next call; at last the process's own judgement. */
  set readiness(notReady: string | (() => string | undefined)) {
    this.#notReady = typeof notReady === 'string' ? () => notReady : notReady;
  }

  /** A part that has started, and how to stop it: the newest first. */
  add(stop: () => Promise<void>): void {
    this.#started.add(stop);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, settings } = this.#context;
    this.#isLeaving = true;
    this.#grpc.setServing(false);
    if (settings.cluster.drainMs > 0) await sleep(clock, settings.cluster.drainMs);
    await stopEach([
      () => this.#started.stop(),
      () => this.health.stop(),
      // Together: one that waits for its clients need not hold up the other.
      () => Promise.all([this.#http.close(SHUTDOWN_MS), this.#grpc.close(SHUTDOWN_MS)]),
    ]);
  }

  async #tellHealth(): Promise<void> {
    while (this.#stopping === undefined) {
      this.#grpc.setServing(this.notReady === undefined);
      await sleep(this.#context.clock, HEALTH_MS);
    }
  }
}
