/**
 * Claim `log-append-kafka`: bytes that three brokers on this machine accept through the log's Kafka adapter. All
 * replicas in sync acknowledge every append. CPU of client and brokers is measured separately, because they share the
 * machine.
 */
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { type KafkaLog, openKafkaLog, prepareTopics } from '@tidemark/kafka-log';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { type Measurement, machine } from './measurement.ts';

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  readonly writers: number;
  readonly partitions: number;
  readonly appends: number;
}

const BLOCK_BYTES = 256 * 1024;
const PARTITIONS = 8;
/** Appends before the measurement: the brokers compile their code during them. */
const WARM_UP: Case = { name: 'warm-up', valueBytes: BLOCK_BYTES, writers: 8, partitions: 8, appends: 1600 };
const CASES: readonly Case[] = [
  { name: 'blocks, one writer', valueBytes: BLOCK_BYTES, writers: 1, partitions: 1, appends: 400 },
  { name: 'blocks, 4 partitions', valueBytes: BLOCK_BYTES, writers: 4, partitions: 4, appends: 1600 },
  { name: 'blocks, 8 partitions', valueBytes: BLOCK_BYTES, writers: 8, partitions: 8, appends: 1600 },
  { name: 'blocks, 8 writers of one partition', valueBytes: BLOCK_BYTES, writers: 8, partitions: 1, appends: 800 },
  { name: 'small, 64 writers of 4 partitions', valueBytes: 200, writers: 64, partitions: 4, appends: 20_000 },
];
const CLAIMED = 'blocks, 4 partitions';

const parts = { clock: new SystemClock(), random: new SystemRandom() };

async function measure(log: KafkaLog, cluster: KafkaCluster, each: Case) {
  const { name, valueBytes, writers, partitions, appends } = each;
  const value = new SystemRandom().bytes(valueBytes);
  const producers = await Promise.all(
    Array.from({ length: writers }, (_, index) => log.writer('points', index % partitions)),
  );
  const firsts = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => (await log.bounds('points', partition)).next),
  );
  const brokersBefore = brokerSeconds(cluster);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(
    producers.map(async (writer) => {
      for (let sequence = 0; sequence < appends / writers; sequence++) await writer.append(sequence, value);
    }),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const clientSeconds = cpuSeconds(cpuBefore);
  const brokersSeconds = brokerSeconds(cluster) - brokersBefore;

  const readCpuBefore = process.cpuUsage();
  const readStartMs = performance.now();
  let readBytes = 0;
  await Promise.all(
    firsts.map(async (first, partition) => {
      const { next } = await log.bounds('points', partition);
      for (let from = first; from < next; ) {
        const records = await log.read('points', partition, from, { maxBytes: 2 ** 20, waitMs: 0 });
        for (const record of records) readBytes += record.value.length;
        from += records.length;
      }
    }),
  );
  const readSeconds = (performance.now() - readStartMs) / 1000;
  const megabytes = (appends * valueBytes) / 1e6;
  return {
    case: name,
    'MB/s': Number((megabytes / seconds).toPrecision(3)),
    'appends/s': Math.round(appends / seconds),
    'client CPU ms/MB': perMegabyte(clientSeconds, megabytes),
    'brokers CPU ms/MB': perMegabyte(brokersSeconds, megabytes),
    'read MB/s': Number((readBytes / readSeconds / 1e6).toPrecision(3)),
    'read client CPU ms/MB': perMegabyte(cpuSeconds(readCpuBefore), megabytes),
  };
}

function perMegabyte(seconds: number, megabytes: number): number {
  return Number(((seconds * 1000) / megabytes).toPrecision(3));
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function brokerSeconds(cluster: KafkaCluster): number {
  return cluster.brokers.reduce((sum, broker) => sum + (broker.cpuSeconds() ?? Number.NaN), 0);
}

/** Prints a table of all cases. The claim is the case of blocks over four partitions. */
export async function logAppendKafka(): Promise<Measurement[]> {
  const cluster = await KafkaCluster.start({ brokers: 3, jit: 'full', heapMiB: 512 });
  try {
    const options = { brokers: cluster.bootstrap, clientId: 'bench', topicPrefix: 'bench-' };
    const recordBytes = 2 ** 20;
    await prepareTopics(options, { partitions: { points: PARTITIONS }, recordBytes }, parts);
    const log = await openKafkaLog({ ...options, limits: { recordBytes, requestMs: 30_000 } }, parts);
    await measure(log, cluster, WARM_UP);
    const rows = [];
    for (const each of CASES) rows.push(await measure(log, cluster, each));
    await log.close();
    console.table(rows);
    const blocks = rows.find((row) => row.case === CLAIMED) ?? rows[0];
    const conditions = `256 KiB records, 4 writers over 4 partitions, 3 brokers of Kafka 4.4.0 on the same machine (full JIT, no fsync, as Kafka's default), replication 3, min.insync.replicas 2; CPU per MB: client ${blocks['client CPU ms/MB']} ms, all brokers ${blocks['brokers CPU ms/MB']} ms; ${machine()}`;
    return [
      { name: 'log-append-kafka', value: blocks['MB/s'], unit: 'MB/s', conditions },
      {
        name: 'log-append-kafka-cpu',
        value: 1000 / (blocks['client CPU ms/MB'] + blocks['brokers CPU ms/MB']),
        unit: 'MB/CPU s of client and brokers',
        conditions,
      },
    ];
  } finally {
    await cluster.close();
  }
}
