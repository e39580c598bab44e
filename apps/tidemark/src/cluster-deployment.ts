import { readFile } from 'node:fs/promises';
import { clusterLogOptions, peerSecurity, topicPlan } from '@tidemark/assembly/processes';
import type { KafkaObservation, ProcessKind } from '@tidemark/doctor';
import { brokerProblems, problemText, topicProblems } from '@tidemark/kafka-log';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import type { Deployment, Target } from './deployment.ts';

const SOURCES = { name: `tidemark ${process.pid}`, readFile: (path: string) => readFile(path) };

/**
 * Returns all processes that the settings of a cluster name. Errors: those of the settings and of the files they name.
 */
export async function clusterDeployment(settings: Settings, key: string | undefined): Promise<Deployment> {
  const peers = await peerSecurity({ settings, ...SOURCES });
  return {
    targets: targetsOf(settings.cluster),
    processKey: peers.key ?? key,
    statusKey: key,
    credentials: peers.channel,
    kafka: settings.kafka.brokers.length === 0 ? undefined : (timeoutMs) => kafkaOf(settings, timeoutMs),
  };
}

function targetsOf(cluster: Settings['cluster']): Target[] {
  const listed = (kind: ProcessKind, addresses: readonly string[]): Target[] =>
    addresses.map((address) => ({ kind, address, partitions: [] }));
  const placed = (kind: ProcessKind, processes: Settings['cluster']['pointStores']): Target[] =>
    processes.map(({ address, partitions }) => ({ kind, address, partitions }));
  return [
    ...listed('coordinator', cluster.coordinator),
    ...listed('intake', cluster.intakes),
    ...listed('query service', cluster.queries),
    ...placed('point store', cluster.pointStores),
    ...placed('tag store', cluster.tagStores),
    ...placed('aggregator', cluster.aggregators),
  ];
}

/** Checks each broker by itself, then the topics through the brokers that answer. */
async function kafkaOf(settings: Settings, timeoutMs: number): Promise<KafkaObservation> {
  const clock = new SystemClock();
  const options = await clusterLogOptions({ settings, ...SOURCES });
  const limits = { ...options.limits, connectMs: timeoutMs, requestMs: timeoutMs, retryMs: 0 };
  const unreachable = await brokerProblems(options, { clock }, timeoutMs);
  const away = new Set(unreachable.map(({ broker }) => broker));
  const brokers = options.brokers.filter((broker) => !away.has(broker));
  const observation = { brokers: options.brokers, unreachable, problem: '', topics: [] };
  if (brokers.length === 0) return observation;
  try {
    const parts = { clock, random: new SystemRandom() };
    const problems = await topicProblems({ ...options, brokers, limits }, topicPlan({ settings }), parts);
    return { ...observation, topics: problems.map(problemText) };
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return { ...observation, topics: [`the topics cannot be checked: ${error.message}`] };
  }
}
