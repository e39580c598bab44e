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

/** One listener of a broker, with its port. */
export interface BrokerEndpoint {
  readonly broker: number;
  readonly listener: keyof BrokerPorts;
  /** Index of a further listener for clients, from 0; undefined for the default listener. */
  readonly route?: number;
  readonly port: number;
}

export interface KafkaClusterOptions extends DistributionOptions, JvmOptions {
  /** Number of brokers, each of them also a controller; their ids are 1 … N. */
  readonly brokers: number;
  /** Folder of all data and logs. A folder with a cluster of as many brokers is reused. Default: a temporary folder. */
  readonly folder?: string;
  /** True when `close` keeps the folder. Default: only when `folder` is given. */
  readonly keepsFolder?: boolean;
  /** Settings of the brokers that differ from the defaults, by their name in Kafka. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Security of the listener for clients. Default: plain text, no authentication. */
  readonly security?: Pick<ListenerSecurity, 'protocol' | 'users'>;
  /**
   * Returns the port to advertise for an endpoint: for example that of a `TcpLink` to it, which can be cut. `client` is
   * advertised to clients, `broker` to other brokers, `controller` to other controllers. Default: the endpoint's own.
   */
  readonly advertise?: (endpoint: BrokerEndpoint) => number | Promise<number>;
  /**
   * Number of further listeners for clients, in plain text. A client that starts at `bootstrapOf(route)` gets only the
   * addresses of that route, so that it can be cut off from the brokers while others are not. Default 0.
   */
  readonly routes?: number;
  /** Max bytes of any file of a broker, to simulate a small disk. Linux only. */
  readonly fileSizeLimitBytes?: number;
  /** Time limit for the start of a broker, ms. Default 120,000, for a busy machine. */
  readonly startMs?: number;
}

const DEFAULT_START_MS = 120_000;
/** Start attempts: another process may occupy a chosen port before the broker listens on it. */
const START_ATTEMPTS = 3;
const CLUSTER_ID_FILE = 'cluster-id';

/** Real Kafka brokers on this machine, for tests, measurements and development. */
export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[];
  /** Addresses of all brokers for clients, `host:port`. */
  readonly bootstrap: readonly string[];
  readonly folder: string;
  /** Certificate that clients must trust, PEM; only with TLS. */
  readonly certificate: string | undefined;
  readonly #watchdog: Watchdog;
  readonly #keepsFolder: boolean;
  /** Addresses of all brokers by route. */
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
   * Starts the brokers and waits until each lists all others. Throws `failed_precondition` without Java or Maven, and
   * `unavailable` when the download of the jars fails or a broker does not start; see `whyNoKafka`.
   */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    assert(options.brokers >= 1, `brokers: ${options.brokers} (limit: at least 1)`);
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

  /** Returns the broker with this id, 1 … N. */
  broker(id: number): KafkaBroker {
    const broker = this.brokers[id - 1];
    assert(broker !== undefined, `no broker ${id}`);
    return broker;
  }

  /** Returns the addresses of all brokers for the clients of a route, `host:port`. */
  bootstrapOf(route: number): readonly string[] {
    const addresses = this.#routes[route];
    assert(addresses !== undefined, `no route ${route}`);
    return addresses;
  }

  /** Resolves when every running broker lists all running brokers as alive. */
  async ready(): Promise<void> {
    const running = this.brokers.filter((broker) => broker.isRunning);
    assert(running.length > 0, 'no broker is running');
    const ids = running.map((broker) => broker.id);
    await Promise.all(running.map((broker) => broker.ready(ids)));
  }

  /** Kills all brokers by SIGKILL, and removes the folder. Acknowledged records are in the system's page cache. */
  async close(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill()));
    if (!this.#keepsFolder) await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    this.#watchdog.close();
  }

  /** Stops the brokers cleanly, then does the same as `close`. The next start need not recover their logs. */
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
      const advertisedPort = await advertise({ broker: id, listener: 'client', route, port });
      routesOfBroker.push({ port, advertised: advertisedPort });
      routes[route].push(`127.0.0.1:${advertisedPort}`);
    }
    const advertisedPorts = advertised.get(id) ?? own;
    const home = join(folder, `broker-${id}`);
    const file = join(home, 'server.properties');
    const text = serverProperties({
      id,
      brokers: count,
      voters,
      ports: own,
      advertised: advertisedPorts,
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
        clientPort: advertisedPorts.client,
        startMs: options.startMs ?? DEFAULT_START_MS,
        watchdog,
        fileSizeLimitBytes: options.fileSizeLimitBytes,
      }),
    );
  }
  return { brokers, certificate: keys?.certificate, routes };
}

/** Makes the missing data folders of brokers, formatted with one cluster id. */
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
