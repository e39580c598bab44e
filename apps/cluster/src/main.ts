import { join, resolve } from 'node:path';
import { explain, onStopSignal, openEventLog } from '@tidemark/executable';
import { KafkaCluster, whyNoKafka } from '@tidemark/kafka-brokers';
import { LocalCluster } from '@tidemark/local-cluster';
import { isTidemarkError } from '@tidemark/ports';
import { Command, InvalidArgumentError, Option } from 'commander';

interface Options {
  readonly data: string;
  readonly brokers: number;
  readonly kafka?: string;
  readonly singleCopies?: boolean;
  readonly partitions: number;
  readonly intakes: number;
  readonly replicas: number;
  readonly port: number;
}

const log = openEventLog('info');
const command = new Command('cluster')
  .description('run a cluster for development: every part is its own process, over a real Kafka')
  .option('--data <folder>', 'folder for all data and logs', './data-cluster')
  .addOption(count('--brokers', 'Kafka brokers to start', 3))
  .option('--kafka <host:port,…>', 'use a running Kafka instead of starting one')
  .option('--single-copies', 'with --kafka: replication factor 1, for a single development broker')
  .addOption(count('--partitions', 'partitions of each topic (points, tags)', 4))
  .addOption(count('--intakes', 'intakes', 2))
  .addOption(count('--replicas', 'point stores and tag stores; each owns every partition', 2))
  .addOption(
    count(
      '--port',
      "HTTP port of the page; gRPC of the query service uses the next port, and the intakes' ports follow",
      4270,
    ),
  )
  .action(run);

function count(flag: string, description: string, value: number): Option {
  return new Option(`${flag} <n>`, description).default(value).argParser((text) => {
    if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
    throw new InvalidArgumentError('Give a whole number of at least 1.');
  });
}

async function run(options: Options): Promise<void> {
  const folder = resolve(options.data);
  const stopping = onStopSignal(log);
  const kafka = options.kafka === undefined ? await startKafka(options.brokers, join(folder, 'kafka')) : undefined;
  const brokers = kafka?.bootstrap ?? options.kafka?.split(',') ?? [];
  try {
    log.info({ folder }, 'starting the processes');
    const cluster = await LocalCluster.start({
      folder,
      brokers,
      partitions: options.partitions,
      intakes: options.intakes,
      pointStores: options.replicas,
      tagStores: options.replicas,
      aggregators: 1,
      agents: 1,
      settings: hasSingleCopies(options) ? { kafka: { replication: 1, minInsync: 1, allowSingleReplica: true } } : {},
      ports: portsOf(options),
    });
    greet(cluster, options);
    await stopping;
    log.info('stopping');
    await cluster.stop();
  } finally {
    await kafka?.stop();
  }
  log.info('stopped');
}

/** True for a Kafka that cannot replicate: fewer than three brokers, which is allowed for development only. */
function hasSingleCopies({ kafka, brokers, singleCopies }: Options): boolean {
  // The bootstrap addresses of another Kafka do not say how many brokers it has: the flag does.
  return kafka === undefined ? brokers < 3 : singleCopies === true;
}

async function startKafka(brokers: number, folder: string): Promise<KafkaCluster> {
  const why = await whyNoKafka();
  if (why !== '') {
    throw new Error(`cannot start Kafka: ${why}. Use a running one with --kafka HOST:PORT,HOST:PORT`);
  }
  log.info({ brokers }, 'starting Kafka (the first start downloads it)');
  return KafkaCluster.start({ brokers, folder });
}

function portsOf({ port, intakes }: Options): Record<string, { grpc: number; http: number }> {
  const ports: Record<string, { grpc: number; http: number }> = { 'query-1': { http: port, grpc: port + 1 } };
  for (let i = 1; i <= intakes; i++) ports[`intake-${i}`] = { http: port + i * 10, grpc: port + i * 10 + 1 };
  return ports;
}

function greet(cluster: LocalCluster, options: Options): void {
  const [query] = cluster.of('query');
  const intakes = (protocol: 'grpc' | 'http') => cluster.of('intake').map((one) => cluster.address(one, protocol));
  process.stdout.write(
    [
      'The Tidemark cluster is up.',
      `  page      http://${cluster.address(query, 'http')}`,
      `  queries   ${cluster.address(query, 'grpc')} (gRPC)`,
      `  intakes   ${intakes('http').join(', ')} (HTTP), ${intakes('grpc').join(', ')} (gRPC)`,
      '  agent     of this host; DogStatsD on UDP port 8125, unless that port is in use',
      `  settings  ${cluster.settingsFile}`,
      `  logs      ${join(cluster.folder, 'logs')}`,
      `  processes ${cluster.processes.map(({ name, pid }) => `${name}=${pid}`).join(' ')}`,
      `Ctrl-C stops it; ${options.kafka === undefined ? 'Kafka too, ' : ''}data stays in ${cluster.folder}.`,
      '',
    ].join('\n'),
  );
}

const alive = setInterval(() => undefined, 60_000);
try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(
    `cluster: ${isTidemarkError(error) || !(error instanceof Error) ? explain(error) : error.message}\n`,
  );
  process.exitCode = 1;
} finally {
  clearInterval(alive);
}
