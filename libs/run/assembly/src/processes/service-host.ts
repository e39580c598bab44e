import type { Server } from '@grpc/grpc-js';
import { type Access, isLoopbackAddress, refuseAll } from '@tidemark/access';
import { type ClientHealth, ProcessService } from '@tidemark/contract';
import {
  healthEvents,
  type ProcessAccess,
  ProcessHealth,
  processService,
  type SessionOf,
  watchMainThread,
} from '@tidemark/health';
import type { HttpApiOptions } from '@tidemark/http-api';
import { sleep } from '@tidemark/ports';
import { peersOnly, Started, stopEach } from '@tidemark/server';
import { Servers } from '../parts/assemble-servers.ts';
import { Readiness } from '../parts/readiness.ts';
import { tenantOfCall } from '../parts/tenant-of-call.ts';
import { healthAccess } from './health-access.ts';
import { type PeerSecurity, peerSecurity, requireKeyBeyondLoopback } from './peer-security.ts';
import type { Service, ServiceContext } from './service-context.ts';

const HEALTH_MS = 200;

/** For a process that serves only its health over HTTP. */
const HEALTH_ONLY = refuseAll('this port serves health checks only');

export interface HostedService {
  /** Adds the gRPC services; they may be called before the process is ready. */
  readonly register: (server: Server) => void;
  /** Only processes of the cluster may call, by its key: for services that trust the tenant that a caller names. */
  readonly isForPeers: boolean;
  readonly onTooLarge?: (path: string) => void;
  /** Access to the health, for processes whose callers have keys of their own. */
  readonly access?: Pick<Access, 'tenantOf'>;
  /** The clients of an intake, for its health. */
  readonly clients?: () => readonly ClientHealth[];
  /** The session of an intake, for the status that a query service gives. */
  readonly sessionOf?: SessionOf;
  /** The HTTP routes in addition to health. */
  readonly http?: Pick<HttpApiOptions, 'service' | 'access' | 'pageFolder' | 'routes' | 'onNotTaken'>;
}

/**
 * The common part of every process of the cluster: gRPC and HTTP with health, a reason while it is not ready, and a
 * stop that drains. It listens first, so that health reports what a start waits for; parts are added when they have
 * started.
 */
export class ServiceHost implements Service {
  readonly #context: ServiceContext;
  readonly #servers: Servers;
  readonly #readiness: Readiness;
  readonly #started = new Started();
  readonly peers: PeerSecurity;
  /** The problems of this process, and since when; its parts report them. */
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
   * Listens, and then lets `prepare` add the parts; when that fails, everything is stopped. Errors: `unavailable` (a
   * port is in use), `failed_precondition` (beyond loopback without a key), those of the files and of `prepare`.
   */
  static async start(
    context: ServiceContext,
    hosted: HostedService,
    prepare: (host: ServiceHost) => Promise<void>,
  ): Promise<ServiceHost> {
    const host = await ServiceHost.#listen(context, hosted);
    try {
      await prepare(host);
      watchMainThread(host.health, context.clock, host);
      return host;
    } catch (error) {
      await host.stop().catch((other: unknown) => {
        context.events.error('the start failed, and then the stop failed', { reason: String(other) });
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
    const checkHealthAccess: ProcessAccess = hosted.isForPeers
      ? () => undefined
      : healthAccess(peers.key, hosted.access ?? HEALTH_ONLY, settings.listen.loopbackNeedsKey);
    const servers = await Servers.listen(
      {
        ...{ clock, events, protoFolder },
        http: { access: HEALTH_ONLY, ...hosted.http, notReady },
        grpc: {
          // A query of the maximum number of series names all of them to the stores.
          messageBytes: hosted.isForPeers ? settings.grpc.sendBytes : settings.intake.messageBytes,
          credentials: peers.server,
          interceptors: hosted.isForPeers ? [peersOnly(peers.key, isLoopbackAddress)] : [],
          onTooLarge: hosted.onTooLarge,
          tenantOf: hosted.access && tenantOfCall(hosted.access),
          register: (server) => {
            server.addService(ProcessService, processService(health, checkHealthAccess, hosted.sessionOf));
            hosted.register(server);
          },
        },
      },
      settings,
    );
    const host = new ServiceHost(context, peers, servers, readiness, health);
    health.start();
    void host.#reportHealth();
    return host;
  }

  get grpcPort(): number {
    return this.#servers.grpcPort;
  }

  get httpPort(): number {
    return this.#servers.httpPort;
  }

  /** Why the process cannot work yet, or any longer; undefined when it can. */
  get notReady(): string | undefined {
    return this.#readiness.notReady;
  }

  /** Sets the function that `notReady` calls. */
  setReadiness(notReady: () => string | undefined): void {
    this.#readiness.set(notReady);
  }

  /** Adds the stop of a part that has started; the newest part is stopped first. */
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

  async #reportHealth(): Promise<void> {
    while (this.#stopping === undefined) {
      this.#servers.setServing(this.notReady === undefined);
      await sleep(this.#context.clock, HEALTH_MS);
    }
  }
}
