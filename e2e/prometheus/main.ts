import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { freePorts } from '@tidemark/child-process';
import { QueryClient } from '@tidemark/contract';
import { KafkaCluster, whyNoKafka } from '@tidemark/kafka-brokers';
import { LocalCluster, type ServiceProcess } from '@tidemark/local-cluster';
import { runQuery } from '@tidemark/rpc';
import { programOptions, refuseOptions } from '../../tools/program-options.ts';
import { eventually } from '../process/eventually.ts';
import { Balancer } from './balancer.ts';
import { prometheusProgram, whyNoPrometheus } from './build.ts';
import { PrometheusServer } from './prometheus-server.ts';

/** Counts are compared over whole steps of this. */
const STEP_MS = 60_000;
/** Time from the kill of an intake to its restart. */
const BACK_MS = 10_000;
const SETTLE_MS = 120_000;
const READY_MS = 120_000;
const HELP = `Usage: npm run e2e -- prometheus [--minutes N]

A real Prometheus writes its own scrape through two intakes to a cluster over Kafka. One intake is killed each minute.

  --minutes N  how long; default 10
  --help       show this`;

/**
 * `npm run e2e -- prometheus [--minutes N]`: a real Prometheus writes its own scrape through two intakes to a cluster
 * over Kafka. One of the intakes is killed each minute. At the end both must count the same samples of every metric.
 */
export async function prometheus(args: readonly string[]): Promise<number> {
  const options = { minutes: { type: 'string', default: '10' } } as const;
  const { values } = programOptions({ help: HELP, args }, { options });
  const minutes = Number(values.minutes);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1000) {
    refuseOptions(`--minutes: ${values.minutes} (limit: a whole number, 1 to 1000)`, HELP);
  }
  const why = (await whyNoKafka()) || (await whyNoPrometheus());
  if (why !== '') {
    console.error(`prometheus: skipped: ${why}`);
    return process.env.CI === 'true' ? 1 : 0;
  }
  const program = await prometheusProgram();
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-prometheus-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
  try {
    return await run(program, folder, minutes, ends);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function run(
  program: string,
  folder: string,
  minutes: number,
  ends: (() => Promise<unknown>)[],
): Promise<number> {
  const kafka = await KafkaCluster.start({ brokers: 3 });
  ends.push(() => kafka.close());
  const cluster = await LocalCluster.start({
    folder,
    brokers: kafka.bootstrap,
    partitions: 4,
    intakes: 2,
    pointStores: 1,
    tagStores: 1,
    aggregators: 0,
  });
  ends.push(() => cluster.kill());
  const intakes = cluster.of('intake');
  const balancer = await Balancer.start(intakes.map(({ ports }) => ports.http));
  ends.push(() => balancer.close());
  const [port] = await freePorts(1);
  const writeUrl = `http://127.0.0.1:${balancer.port}/api/v1/write`;
  const source = await PrometheusServer.start({ program, folder: join(folder, 'prometheus'), port, writeUrl });
  ends.push(() => source.stop());

  const fromMs = Math.ceil(Date.now() / STEP_MS) * STEP_MS;
  const toMs = fromMs + minutes * STEP_MS;
  const kills = await killInTurn(intakes, fromMs, toMs);
  const query = new QueryClient(cluster.address(cluster.of('query')[0], 'grpc'), credentials.createInsecure());
  ends.push(async () => query.close());
  const { metrics, counted, found, nans, differing } = await compare(source, query, fromMs, toMs);
  for (const line of differing) console.log(line);
  if (differing.length > 0) console.log(await source.log());
  const isClean = differing.length === 0 && counted > 0 && source.isRunning;
  console.log(
    `minutes=${minutes} kills=${kills} metrics=${metrics} samples of Prometheus=${counted} found=${found} NaN=${nans}` +
      ` differing=${differing.length}${isClean ? '' : ' NOT CLEAN'}`,
  );
  return isClean ? 0 : 1;
}

/** Kills and restarts one of the intakes within each step, in turn. Resolves at `toMs`. */
async function killInTurn(intakes: readonly ServiceProcess[], fromMs: number, toMs: number): Promise<number> {
  const steps = (toMs - fromMs) / STEP_MS;
  let kills = 0;
  for (let nextMs = fromMs; nextMs < toMs; nextMs += STEP_MS) {
    await until(nextMs + STEP_MS / 3);
    const intake = intakes[kills++ % intakes.length];
    await intake.kill();
    console.error(`killed ${intake.name}, ${kills} of ${steps}`);
    await until(Date.now() + BACK_MS);
    intake.spawn();
    await intake.ready(READY_MS);
  }
  await until(toMs);
  return kills;
}

interface Comparison {
  readonly metrics: number;
  readonly counted: number;
  readonly found: number;
  readonly nans: number;
  /** One line for each metric with different numbers of samples. */
  readonly differing: readonly string[];
}

/** Compares the samples of every metric in [fromMs, toMs): those that Prometheus has and those that queries find. */
async function compare(
  source: PrometheusServer,
  query: QueryClient,
  fromMs: number,
  toMs: number,
): Promise<Comparison> {
  const metrics = await source.metrics(fromMs, toMs);
  let counted = 0;
  let found = 0;
  let nans = 0;
  const differing: string[] = [];
  for (const metric of metrics) {
    // The intake rejects NaN, which would make every sum with it NaN.
    const { numbers: theirs, nans: refused } = await source.samples(metric, fromMs, toMs);
    nans += refused;
    const ours = await eventually(
      `${metric} to be complete`,
      // Prometheus resends unacknowledged samples: the count is final when no request is in flight.
      async () => {
        const count = await samples(query, metric, fromMs, toMs);
        return count === undefined || (count < theirs && Date.now() < toMs + SETTLE_MS) ? undefined : { count };
      },
      SETTLE_MS * 2,
      500,
    );
    counted += theirs;
    found += ours.count;
    if (ours.count !== theirs) differing.push(`${metric}: Prometheus ${theirs}, Tidemark ${ours.count}`);
  }
  return { metrics: metrics.length, counted, found, nans, differing };
}

/** Counts the samples of a metric in [fromMs, toMs); undefined while the answer is incomplete. */
async function samples(client: QueryClient, metric: string, fromMs: number, toMs: number): Promise<number | undefined> {
  const query = `sum:${metric}{job:prometheus}.rollup(count, ${STEP_MS / 1000})`;
  const request = { query, fromMs, toMs, variables: {} };
  const reply = await runQuery(() => client.run(request));
  if (reply.errors.length > 0 || (reply.completeThroughMs ?? 0) < toMs) return undefined;
  return reply.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
}

async function until(timeMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, timeMs - Date.now())));
}
