import type { Server } from '@grpc/grpc-js';
import { type Access, isLoopbackAddress, refuseAll } from '@tidemark/access';
import { type ClientHealth, ProcessService } from '@tidemark/contract';
import { type HealthAccess, healthEvents, ProcessHealth, processService, type SessionOf } from '@tidemark/health';
import type { HttpApiOptions } from '@tidemark/http-api';
import { sleep } from '@tidemark/ports';
import { peersOnly, Started, stopEach } from '@tidemark/server';
import { Servers } from '../parts/assemble-servers.ts';
import { Readiness } from '../parts/readiness.ts';
import { healthAccess } from './health-access.ts';
import { type PeerSecurity, peerSecurity, requireKeyBeyondLoopback } from './peer-security.ts';
import type { Service, ServiceContext } from './service-context.ts';

const HEALTH_MS = 200;

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
  readonly #servers: Servers;
  readonly #readiness: Readiness;
  readonly #started = new Started();
  readonly peers: PeerSecurity;
  /** What is wrong with this process, and since when; parts tell it as they come. */
  readonly health: ProcessHealth;
  #stopping: Promise<void> | undefined;

  private constructor(
    context: ServiceContext,
    peers: PeerSecurity,
    servers: Servers,
    readiness: Readiness,
    health: ProcessHealth,
  ) {
    this.#context = context;
    this.health = health;
    this.peers = peers;
    this.#servers = servers;
    this.#readiness = readiness;
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
    const { clock, settings, protoFolder, events, name } = context;
    const peers = await peerSecurity(context);
    if (hosted.isForPeers) requireKeyBeyondLoopback(settings.listen.host, peers.key);
    const readiness = new Readiness();
    const notReady = () => readiness.notReady;
    const health = new ProcessHealth({
      ...{ process: name, clock, notReady, clients: hosted.clients },
      onChange: healthEvents(events),
    });
    const mayAskHealth: HealthAccess = hosted.isForPeers
      ? () => undefined
      : healthAccess(peers.key, hosted.access ?? HEALTH_ONLY, settings.listen.loopbackNeedsKey);
    const servers = await Servers.listen(
      {
        ...{ clock, protoFolder },
        http: { access: HEALTH_ONLY, ...hosted.http, notReady },
        grpc: {
          // A query of the most series that it may have names all of them to the stores.
          messageBytes: hosted.isForPeers ? settings.grpc.sendBytes : settings.intake.messageBytes,
          credentials: peers.server,
          interceptors: hosted.isForPeers ? [peersOnly(peers.key, isLoopbackAddress)] : [],
          onTooLarge: hosted.onTooLarge,
          register: (server) => {
            server.addService(ProcessService, processService(health, mayAskHealth, hosted.sessionOf));
            hosted.register(server);
          },
        },
      },
      settings,
    );
    const host = new ServiceHost(context, peers, servers, readiness, health);
    health.start();
    void host.#tellHealth();
    return host;
  }

  get grpcPort(): number {
    return this.#servers.grpcPort;
  }

  get httpPort(): number {
    return this.#servers.httpPort;
  }

  /** Why the process cannot work yet, or any more; undefined when it can. */
  get notReady(): string | undefined {
    return this.#readiness.notReady;
  }

  /** Sets what `notReady` asks until the next call. */
  setReadiness(notReady: () => string | undefined): void {
    this.#readiness.set(notReady);
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
    this.#readiness.leave();
    this.#servers.setServing(false);
    if (settings.cluster.drainMs > 0) await sleep(clock, settings.cluster.drainMs);
    await stopEach([() => this.#started.stop(), () => this.health.stop(), () => this.#servers.close()]);
  }

  async #tellHealth(): Promise<void> {
    while (this.#stopping === undefined) {
      this.#servers.setServing(this.notReady === undefined);
      await sleep(this.#context.clock, HEALTH_MS);
    }
  }
}
