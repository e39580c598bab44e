import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, Watchdog } from '@tidemark/child-process';
import { assert } from '@tidemark/ports';
import { KafkaBroker } from './broker.ts';
import { brokerCommand, type JvmOptions } from './broker-command.ts';
import { ensureClassArchive } from './class-archive.ts';
import {
  type DistributionOptions,
  formattedFolder,
  type KafkaDistribution,
  kafkaDistribution,
  newUuid,
} from './distribution.ts';
import { makeKeyStore } from './key-store.ts';
import { type BrokerPorts, type ListenerSecurity, serverProperties } from './server-properties.ts';

/** One of a broker's listeners, at the port where it listens. */
export interface BrokerEndpoint {
  readonly broker: number;
  readonly listener: keyof BrokerPorts;
  /** Of a listener for clients: which of the further ones it is, from 0; undefined for the one of everybody. */
  readonly route?: number;
  readonly port: number;
}

export interface KafkaClusterOptions extends DistributionOptions, JvmOptions {
  /** Brokers, each of them a controller too; their ids are 1 … N. */
  readonly brokers: number;
  /** Folder of all data and logs. Default: a temporary one. One that has a cluster of as many brokers is gone on with. */
  readonly folder?: string;
  /** `close` leaves the folder. Default: only when `folder` is given. */
  readonly keepsFolder?: boolean;
  /** Settings of the brokers that differ, by their name in Kafka. */
  readonly properties?: Readonly<Record<string, string>>;
  /** What clients need. Default: nothing, plain text. */
  readonly security?: Pick<ListenerSecurity, 'protocol' | 'users'>;
  /**
   * Answers with the port under which others are to reach an endpoint: that of a link (`TcpLink`) to it, which can be
   * cut. `client` is what the brokers tell clients, `broker` what they tell each other, `controller` is how the
   * controllers find each other. Default: the endpoint's own.
   */
  readonly advertise?: (endpoint: BrokerEndpoint) => number | Promise<number>;
  /**
   * Further listeners for clients, in plain text: who begins at `bootstrapOf(route)` is told of the addresses of that
   * route alone, so that one client can be cut off from the brokers while others are not. Default none.
   */
  readonly routes?: number;
  /** Bytes that no file of a broker can grow beyond, from the start: stands for a small disk. Linux only. */
  readonly fileSizeLimitBytes?: number;
  /** How long a broker may take to start. Default 120 s: a machine may be busy. */
  readonly startMs?: number;
}

const DEFAULT_START_MS = 120_000;
/** Ports are picked before they are used: somebody else may be faster. */
const START_ATTEMPTS = 3;
const CLUSTER_ID_FILE = 'cluster-id';

/** Real Kafka brokers on this machine, for tests, measurements and development. */
export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[];
  /** Addresses of all brokers for clients, `host:port`. */
  readonly bootstrap: readonly string[];
  readonly folder: string;
  /** With TLS: the certificate that clients are to trust, in PEM. */
  readonly certificate: string | undefined;
  readonly #watchdog: Watchdog;
  readonly #keepsFolder: boolean;
  /** By route: the addresses of all brokers. */
  readonly #routes: readonly (readonly string[])[];

  /** Use `KafkaCluster.start`. */
  constructor(started: Started) {
    this.brokers = started.brokers;
    this.bootstrap = started.brokers.map((broker) => `127.0.0.1:${broker.clientPort}`);
    this.folder = started.folder;
    this.certificate = started.certificate;
    this.#watchdog = started.watchdog;
    this.#keepsFolder = started.keepsFolder;
    this.#routes = started.routes;
  }

  /**
   * Starts the brokers and waits until each knows of all. Errors: `failed_precondition` when there is no Java or
   * Maven, `unavailable` when the jars can't be had or a broker does not start; see `whyNoKafka`.
   */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    assert(options.brokers >= 1, 'a cluster has a broker');
    const distribution = await kafkaDistribution(options);
    await ensureClassArchive(distribution);
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidemark-kafka-')));
    const keepsFolder = options.keepsFolder ?? options.folder !== undefined;
    const watchdog = new Watchdog(keepsFolder ? undefined : folder);
    try {
      for (let attempt = 1; ; attempt++) {
        const started = await prepare(options, distribution, folder, watchdog);
        const cluster = new KafkaCluster({ ...started, folder, watchdog, keepsFolder });
        try {
          for (const broker of cluster.brokers) broker.spawn();
          await cluster.ready();
          return cluster;
        } catch (error) {
          await Promise.all(cluster.brokers.map((broker) => broker.kill()));
          const isPortTaken = cluster.brokers.some((broker) => /Address already in use/i.test(broker.logTail()));
          if (!isPortTaken || attempt === START_ATTEMPTS) throw error;
        }
      }
    } catch (error) {
      if (!keepsFolder) await rm(folder, { recursive: true, force: true });
      watchdog.close();
      throw error;
    }
  }

  /** The broker of id `id`: 1 … N. */
  broker(id: number): KafkaBroker {
    const broker = this.brokers[id - 1];
    assert(broker !== undefined, `there is a broker ${id}`);
    return broker;
  }

  /** Addresses of all brokers for the clients of a route, `host:port`. */
  bootstrapOf(route: number): readonly string[] {
    const addresses = this.#routes[route];
    assert(addresses !== undefined, `there is a route ${route}`);
    return addresses;
  }

  /** Resolves when every broker that runs knows of every broker that runs. */
  async ready(): Promise<void> {
    const running = this.brokers.filter((broker) => broker.isRunning);
    assert(running.length > 0, 'a broker runs');
    const ids = running.map((broker) => broker.id);
    await Promise.all(running.map((broker) => broker.ready(ids)));
  }

  /** Kills all brokers (kill -9: what was acknowledged is in the system's page cache) and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill()));
    if (!this.#keepsFolder) await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    this.#watchdog.close();
  }

  /** As `close`, but lets the brokers leave in good order first: the next start need not recover their logs. */
  async stop(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.stop()));
    await this.close();
  }
}

interface Started {
  readonly brokers: readonly KafkaBroker[];
  readonly certificate: string | undefined;
  readonly routes: readonly (readonly string[])[];
  readonly folder: string;
  readonly watchdog: Watchdog;
  readonly keepsFolder: boolean;
}

async function prepare(
  options: KafkaClusterOptions,
  distribution: KafkaDistribution,
  folder: string,
  watchdog: Watchdog,
): Promise<Pick<Started, 'brokers' | 'certificate' | 'routes'>> {
  const { brokers: count, security = { protocol: 'PLAINTEXT' }, advertise = ({ port }) => port } = options;
  const usesTls = security.protocol.endsWith('SSL');
  const keys = usesTls ? await makeKeyStore(folder) : undefined;
  await makeDataFolders(distribution, folder, count, security.protocol.startsWith('SASL') ? security.users : {});

  const { routes: routeCount = 0 } = options;
  const ports = await freePorts((3 + routeCount) * count);
  const plans = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    ports: { client: ports[3 * i], broker: ports[3 * i + 1], controller: ports[3 * i + 2] },
    routePorts: ports.slice(3 * count + i * routeCount, 3 * count + (i + 1) * routeCount),
  }));
  const voters = new Map<number, number>();
  const advertised = new Map<number, Pick<BrokerPorts, 'client' | 'broker'>>();
  for (const { id, ports: own } of plans) {
    voters.set(id, await advertise({ broker: id, listener: 'controller', port: own.controller }));
    const client = await advertise({ broker: id, listener: 'client', port: own.client });
    advertised.set(id, { client, broker: await advertise({ broker: id, listener: 'broker', port: own.broker }) });
  }
  const brokers: KafkaBroker[] = [];
  const routes = Array.from({ length: routeCount }, (): string[] => []);
  for (const { id, ports: own, routePorts } of plans) {
    const routesOfBroker: { port: number; advertised: number }[] = [];
    for (const [route, port] of routePorts.entries()) {
      const toldPort = await advertise({ broker: id, listener: 'client', route, port });
      routesOfBroker.push({ port, advertised: toldPort });
      routes[route].push(`127.0.0.1:${toldPort}`);
    }
    const told = advertised.get(id) ?? own;
    const home = join(folder, `broker-${id}`);
    const file = join(home, 'server.properties');
    const text = serverProperties({
      id,
      brokers: count,
      voters,
      ports: own,
      advertised: told,
      routes: routesOfBroker,
      dataFolder: join(home, 'data'),
      security: { ...security, keyStore: keys?.keyStore },
      properties: options.properties ?? {},
    });
    await writeFile(file, text, { mode: 0o600 });
    const logFile = join(home, 'broker.log');
    await writeFile(logFile, '');
    brokers.push(
      new KafkaBroker({
        id,
        command: [...brokerCommand(distribution, options), file],
        logFile,
        ports: own,
        clientPort: told.client,
        startMs: options.startMs ?? DEFAULT_START_MS,
        watchdog,
        fileSizeLimitBytes: options.fileSizeLimitBytes,
      }),
    );
  }
  return { brokers, certificate: keys?.certificate, routes };
}

/** Makes the formatted folders of brokers that have none; all are of one cluster. */
async function makeDataFolders(
  distribution: KafkaDistribution,
  folder: string,
  count: number,
  users: Readonly<Record<string, string>> = {},
): Promise<void> {
  const data = Array.from({ length: count }, (_, i) => join(folder, `broker-${i + 1}`, 'data'));
  const lacking = data.map((path) => !existsSync(path));
  if (!lacking.some(Boolean)) return;
  const idFile = join(folder, CLUSTER_ID_FILE);
  await mkdir(folder, { recursive: true });
  if (!existsSync(idFile)) await writeFile(idFile, newUuid());
  const clusterId = (await readFile(idFile, 'utf8')).trim();
  const formatted = await formattedFolder(distribution, users);
  try {
    for (let i = 0; i < count; i++) {
      if (!lacking[i]) continue;
      const draft = `${data[i]}.draft`;
      await rm(draft, { recursive: true, force: true });
      await mkdir(join(folder, `broker-${i + 1}`), { recursive: true });
      await cp(formatted.folder, draft, { recursive: true });
      const meta = await readFile(join(draft, 'meta.properties'), 'utf8');
      await writeFile(
        join(draft, 'meta.properties'),
        meta
          .replace(/^node\.id=.*$/m, `node.id=${i + 1}`)
          .replace(/^cluster\.id=.*$/m, `cluster.id=${clusterId}`)
          .replace(/^directory\.id=.*$/m, `directory.id=${newUuid()}`),
      );
      await rename(draft, data[i]);
    }
  } finally {
    await formatted.drop();
  }
}
