import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { Watchdog } from '@tidemark/child-process';
import { QueryClient } from '@tidemark/contract';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { LocalCluster, ServiceProcess } from '@tidemark/local-cluster';
import { runQuery } from '@tidemark/rpc';
import type { LoadClientSettings } from './client-settings.ts';
import type { Ask } from './contents.ts';
import { HarnessLinks } from './harness-links.ts';
import { HttpSource } from './http-source.ts';
import { LogFollower } from './log-follower.ts';
import { brokerPart, clientPart, type Part, servicePart } from './part.ts';
import { PART_KINDS, PARTITIONS, type PartKind, POPULATION, SERVICE_SETTINGS } from './settings.ts';

const CLIENT_MAIN = fileURLToPath(new URL('./client-main.ts', import.meta.url));
const ASK_MS = 5000;
/** Names of the processes that use the brokers. */
const SERVICES = PART_KINDS.filter((kind) => kind !== 'broker' && kind !== 'client').flatMap((kind) =>
  Array.from({ length: POPULATION[kind] }, (_, i) => `${kind}-${i + 1}`),
);

/** A client under load, and its ledger. */
export interface LoadClient {
  readonly name: string;
  readonly process: ServiceProcess;
  readonly ledgerFile: string;
}

export interface HarnessOptions {
  readonly folder: string;
  /** Flags of Node for a process of the cluster, by its name. */
  readonly nodeFlags?: (name: string) => readonly string[];
}

/** Real brokers, all processes of a cluster, clients, and a link before each endpoint. */
export class KillHarness {
  readonly kafka: KafkaCluster;
  readonly cluster: LocalCluster;
  readonly log: LogFollower;
  readonly clients: readonly LoadClient[];
  readonly http: HttpSource;
  readonly parts: readonly Part[];
  readonly #links: HarnessLinks;
  readonly #query: QueryClient;
  readonly #watchdog: Watchdog;

  private constructor(
    kafka: KafkaCluster,
    log: LogFollower,
    cluster: LocalCluster,
    clients: readonly LoadClient[],
    parts: readonly Part[],
    links: HarnessLinks,
    watchdog: Watchdog,
  ) {
    this.kafka = kafka;
    this.log = log;
    this.cluster = cluster;
    this.clients = clients;
    this.parts = parts;
    this.#links = links;
    this.#watchdog = watchdog;
    this.http = new HttpSource(cluster.of('intake').map((intake) => cluster.address(intake, 'http')));
    const [query] = cluster.of('query');
    this.#query = new QueryClient(cluster.address(query, 'grpc'), credentials.createInsecure());
  }

  /** Starts everything except the clients. */
  static async start({ folder, nodeFlags }: HarnessOptions): Promise<KillHarness> {
    const links = new HarnessLinks(SERVICES);
    await mkdir(join(folder, 'kafka'));
    const kafka = await KafkaCluster.start({
      brokers: POPULATION.broker,
      folder: join(folder, 'kafka'),
      routes: SERVICES.length,
      advertise: (endpoint) => links.ofListener(endpoint),
    });
    const log = await LogFollower.start(kafka.bootstrap);
    try {
      const cluster = await LocalCluster.start({
        folder,
        brokers: kafka.bootstrap,
        partitions: PARTITIONS,
        intakes: POPULATION.intake,
        pointStores: POPULATION['point-store'],
        tagStores: POPULATION['tag-store'],
        aggregators: POPULATION.aggregator,
        settings: SERVICE_SETTINGS,
        nodeFlags,
        advertise: (endpoint) => links.ofEndpoint(endpoint),
        command: (name, command) => {
          const route = links.routeOf(name);
          return [...command, '--kafka-brokers', kafka.bootstrapOf(route).join(',')];
        },
      });
      const watchdog = new Watchdog(undefined);
      const clients = await makeClients(folder, cluster, watchdog);
      const parts = partsOf(kafka, cluster, clients, links);
      return new KillHarness(kafka, log, cluster, clients, parts, links, watchdog);
    } catch (error) {
      await log.close();
      await kafka.close();
      await links.close();
      throw error;
    }
  }

  /** Queries through the link of the query service. */
  readonly ask: Ask = (query, { fromMs, toMs }) => {
    const deadline = Date.now() + ASK_MS;
    return runQuery(() => this.#query.run({ query, fromMs, toMs, variables: {} }, { deadline }));
  };

  /** Resolves when all running parts are ready. */
  async ready(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.ready()));
  }

  startLoad(): void {
    for (const { process } of this.clients) process.spawn();
    this.http.start();
  }

  /** Ends the load. Resolves when all recorded points are settled. */
  async endLoad(withinMs: number): Promise<void> {
    await Promise.all([...this.clients.map(({ process }) => process.stop(withinMs)), this.http.stop(withinMs)]);
  }

  /** Opens all links, resumes frozen processes, and starts the ones that are down. */
  heal(): void {
    this.#links.openAll();
    for (const part of this.parts) {
      if (part.isRunning) part.thaw();
      else part.spawn();
    }
  }

  /** Kills all running processes with SIGKILL. */
  async close(): Promise<void> {
    this.#query.close();
    await this.log.close();
    await Promise.all(this.clients.map(({ process }) => process.kill()));
    this.#watchdog.close();
    await this.cluster.kill();
    await this.kafka.close();
    await this.#links.close();
  }
}

function partsOf(
  kafka: KafkaCluster,
  cluster: LocalCluster,
  clients: readonly LoadClient[],
  links: HarnessLinks,
): readonly Part[] {
  return [
    ...kafka.brokers.map((broker) => brokerPart(broker, links.ofBroker(broker.id))),
    ...cluster.processes.map((process) =>
      servicePart(process.kind as PartKind, process, links.ofService(process.name), links.toLog(process.name)),
    ),
    ...clients.map(({ process, ledgerFile }) => clientPart(process, ledgerFile)),
  ];
}

async function makeClients(folder: string, cluster: LocalCluster, watchdog: Watchdog): Promise<LoadClient[]> {
  const addresses = cluster.of('intake').map((intake) => cluster.address(intake, 'grpc'));
  await mkdir(join(folder, 'ledgers'), { recursive: true });
  return Array.from({ length: POPULATION.client }, (_, index) => {
    const name = `client-${index + 1}`;
    const ledgerFile = join(folder, 'ledgers', `${name}.jsonl`);
    const settings: LoadClientSettings = { name, index, addresses, spoolFolder: join(folder, name), ledgerFile };
    const process = new ServiceProcess({
      kind: 'agent',
      name,
      command: [globalThis.process.execPath, '--no-warnings', CLIENT_MAIN, JSON.stringify(settings)],
      environment: { PATH: globalThis.process.env.PATH, HOME: globalThis.process.env.HOME },
      logFile: join(folder, 'logs', `${name}.log`),
      ports: { grpc: 0, http: 0 },
      watchdog,
    });
    return { name, process, ledgerFile };
  });
}
