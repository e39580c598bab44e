import { readFile } from 'node:fs/promises';
import { clusterLogOptions, peerSecurity, topicPlan } from '@tidemark/assembly/processes';
import type { KafkaObservation, ProcessKind } from '@tidemark/doctor';
import { brokerProblems, problemText, topicProblems } from '@tidemark/kafka-log';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { Placement, parseAddresses } from '@tidemark/placement';
import { isTidemarkError } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import type { Patient, Target } from './observe.ts';

const SOURCES = { name: `doctor ${process.pid}`, readFile: (path: string) => readFile(path) };

/** Everybody whom the settings of a cluster name. Errors: those of the settings, and of the files that they name. */
export async function clusterPatient(settings: Settings, key: string | undefined, timeoutMs: number): Promise<Patient> {
  const peers = await peerSecurity({ settings, ...SOURCES });
  return {
    targets: targetsOf(settings.cluster),
    healthKey: peers.key ?? key,
    statusKey: key,
    credentials: peers.channel,
    kafka: settings.kafka.brokers === '' ? undefined : () => kafkaOf(settings, timeoutMs),
  };
}

function targetsOf(cluster: Settings['cluster']): Target[] {
  const listed = (kind: ProcessKind, setting: 'intakes' | 'queries'): Target[] =>
    parseAddresses(cluster[setting], `cluster.${setting}`).map((address) => ({ kind, address, partitions: [] }));
  const placed = (kind: ProcessKind, setting: 'pointStores' | 'tagStores' | 'aggregators'): Target[] => {
    const { processes } = Placement.parse(cluster[setting], `cluster.${setting}`);
    return processes.map(({ address, partitions }) => ({ kind, address, partitions }));
  };
  return [
    ...parseAddresses(cluster.coordinator, 'cluster.coordinator').map((address): Target => {
      return { kind: 'coordinator', address, partitions: [] };
    }),
    ...listed('intake', 'intakes'),
    ...listed('query service', 'queries'),
    ...placed('point store', 'pointStores'),
    ...placed('tag store', 'tagStores'),
    ...placed('aggregator', 'aggregators'),
  ];
}

/** What the brokers say: each of them by itself, then the topics by those that answer. */
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
    return { ...observation, topics: [`the topics can't be looked at: ${error.message}`] };
  }
}
