import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { type PartitionStatusReply, PointStoreClient } from '@tidemark/contract';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { LocalCluster } from '@tidemark/local-cluster';
import { callUnary } from '@tidemark/rpc';
import { METRICS } from './data/hosts.ts';
import { type Measurement, machine, median } from './measurement.ts';
import type { FromGenerator, GeneratorOptions } from './whole-path/messages.ts';
import { IN_STEP, message, queried, STEP_MS, start, untilCounted } from './whole-path/run.ts';

const HOSTS = 1000;
const ROUNDS = 300;
const RUNS = 3;
const PARTITIONS = 4;
const BROKERS = 3;
const IN_FLIGHT = 32;

interface KafkaRun {
  readonly points: number;
  readonly wallSeconds: number;
  readonly platformCpuSeconds: number;
  readonly brokerCpuSeconds: number;
  readonly generatorCpuSeconds: number;
}

/**
 * Claims `whole-path-kafka` and `whole-path-kafka-cpu`: the same points as `whole-path-embedded`, through an intake,
 * three brokers, a point store and a tag store as processes of their own, until a query counts them all.
 */
export async function wholePathKafka(): Promise<Measurement[]> {
  const runs: KafkaRun[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await runOnce());
  const middle = median(runs.map(({ brokerCpuSeconds }) => brokerCpuSeconds));
  const client = median(runs.map(({ generatorCpuSeconds }) => generatorCpuSeconds));
  const conditions =
    `${RUNS} runs, median; data and client as whole-path-embedded, ${ROUNDS} rounds; ${BROKERS} brokers of Kafka on the same cores, 3 ` +
    `replicas, 2 in sync, acks of all, full JIT; 1 intake, 1 point store, 1 tag store, coordinator and query service, ` +
    `each a process; ${PARTITIONS} partitions; late = 0; ${machine()}`;
  const cpuShares = `brokers used ${middle.toFixed(1)} CPU s, the client ${client.toFixed(1)}`;
  return [
    {
      name: 'whole-path-kafka',
      value: median(runs.map(({ points, wallSeconds }) => points / wallSeconds)),
      unit: 'points/s',
      conditions: `${conditions}; ${cpuShares}`,
    },
    {
      name: 'whole-path-kafka-cpu',
      value: median(runs.map(({ points, platformCpuSeconds }) => points / platformCpuSeconds)),
      unit: "points/CPU s of the platform's processes",
      conditions: `${conditions}; ${cpuShares}, not counted here`,
    },
  ];
}

async function runOnce(): Promise<KafkaRun> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-bench-'));
  const kafka = await KafkaCluster.start({ brokers: BROKERS, jit: 'full' });
  let cluster: LocalCluster | undefined;
  try {
    cluster = await LocalCluster.start({
      folder,
      brokers: kafka.bootstrap,
      partitions: PARTITIONS,
      intakes: 1,
      pointStores: 1,
      tagStores: 1,
      aggregators: 0,
      // The timestamps cover the last hour, and the data arrives at full speed.
      settings: {
        completeness: { latenessMs: 7_200_000 },
        budgets: { tenantSeries: 10_000_000, metricSeries: 10_000_000 },
      },
    });
    return await measure(kafka, cluster);
  } finally {
    await cluster?.kill();
    await kafka.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(kafka: KafkaCluster, cluster: LocalCluster): Promise<KafkaRun> {
  const [intake] = cluster.of('intake');
  const startMs = Math.floor(Date.now() / STEP_MS) * STEP_MS - (ROUNDS + 2) * STEP_MS;
  const options: GeneratorOptions = {
    port: intake.ports.grpc,
    hosts: HOSTS,
    rounds: ROUNDS,
    shape: IN_STEP,
    startMs,
    stepMs: STEP_MS,
    inFlight: IN_FLIGHT,
    seed: 1,
  };
  const generator = start('generator.ts', [JSON.stringify(options)]);
  const store = new PointStoreClient(
    cluster.address(cluster.of('point-store')[0], 'grpc'),
    credentials.createInsecure(),
  );
  try {
    await message<FromGenerator, 'warm'>(generator, 'warm');
    await counted(store, HOSTS * METRICS);
    const before = cpuOf(kafka, cluster);
    const fromMs = performance.now();
    generator.send('go');
    const sent = await message<FromGenerator, 'sent'>(generator, 'sent');
    await counted(store, HOSTS * METRICS + sent.points);
    await queried(cluster.address(cluster.of('query')[0], 'grpc'), startMs, HOSTS, ROUNDS);
    const wallSeconds = (performance.now() - fromMs) / 1000;
    const after = cpuOf(kafka, cluster);
    return {
      points: sent.points,
      wallSeconds,
      platformCpuSeconds: after.platform - before.platform,
      brokerCpuSeconds: after.brokers - before.brokers,
      generatorCpuSeconds: sent.cpuSeconds,
    };
  } finally {
    store.close();
    generator.kill();
  }
}

function cpuOf(kafka: KafkaCluster, cluster: LocalCluster): { platform: number; brokers: number } {
  const sum = (processes: readonly { cpuSeconds(): number | undefined }[]): number =>
    processes.reduce((total, process) => total + (process.cpuSeconds() ?? Number.NaN), 0);
  return { platform: sum(cluster.processes), brokers: sum(kafka.brokers) };
}

/** Polls until the store has counted `points`. Throws if it has more, or any late or duplicate point. */
async function counted(store: PointStoreClient, points: number): Promise<void> {
  await untilCounted(points, async () => {
    const sums = { points: 0, late: 0, duplicate: 0 };
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const status = await callUnary<PartitionStatusReply>((done) =>
        store.partitionStatus({ partition }, new Metadata(), done),
      );
      sums.points += status.points;
      sums.late += status.latePoints;
      sums.duplicate += status.duplicatePoints;
    }
    if (sums.late > 0 || sums.duplicate > 0) throw new Error('late or duplicate points in a clean run');
    return sums;
  });
}
