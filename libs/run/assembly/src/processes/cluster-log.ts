import {
  type KafkaLog,
  type KafkaLogOptions,
  openKafkaLog,
  prepareTopics,
  refuseTopics,
  type TopicPlan,
  topicProblems,
} from '@tidemark/kafka-log';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { PASSING, waitBecause } from './follow-control.ts';
import { namedFile, requireBoth } from './named-file.ts';
import type { ServiceContext } from './service-context.ts';
import type { ServiceHost } from './service-host.ts';

const RETRY_MS = 1000;

/**
 * Returns the options of Kafka from the settings: plain data, which can be passed to a thread, with the password.
 * Errors: `invalid_argument` and `not_found` (a file can't be read), with the setting.
 */
export async function clusterLogOptions(
  context: Pick<ServiceContext, 'settings' | 'readFile' | 'name'>,
): Promise<KafkaLogOptions> {
  const { kafka } = context.settings;
  const { brokers } = kafka;
  if (brokers.length === 0) {
    throw new TidemarkError('invalid_argument', 'kafka.brokers: empty (limit: at least one host:port)', {
      setting: 'kafka.brokers',
    });
  }
  const textOf = async (setting: string, path: string) => (await namedFile(context, setting, path))?.toString('utf8');
  const ca = await textOf('kafka.caFile', kafka.caFile);
  const certificate = await textOf('kafka.certFile', kafka.certFile);
  const key = await textOf('kafka.keyFile', kafka.keyFile);
  requireBoth('kafka', certificate, key);
  const password = (await textOf('kafka.saslPasswordFile', kafka.saslPasswordFile))?.trim();
  const { saslMechanism: mechanism, saslUser: username } = kafka;
  return {
    brokers,
    clientId: `tidemark ${context.name}`,
    topicPrefix: kafka.topicPrefix,
    ...(kafka.tls ? { tls: { ca, certificate, key } } : {}),
    ...(mechanism === 'none' ? {} : { sasl: { mechanism, username, password: password ?? kafka.saslPassword } }),
    limits: {
      recordBytes: kafka.recordBytes,
      inFlightBytes: kafka.inFlightBytes,
      readBytes: kafka.readBytes,
      appendConnections: kafka.appendConnections,
      readConnections: kafka.readConnections,
      waitingRequests: kafka.waitingRequests,
      connectMs: kafka.connectMs,
      requestMs: kafka.requestMs,
      retryMs: kafka.retryMs,
      readWaitMs: kafka.readWaitMs,
    },
  };
}

/** Creates missing topics. Waits for brokers that don't answer; throws when a topic has wrong settings. */
export async function prepareClusterTopics(host: ServiceHost, context: ServiceContext): Promise<void> {
  const options = await clusterLogOptions(context);
  await untilAnswered(host, context, () => prepareTopics(options, topicPlan(context), context));
}

/** Opens the log once Kafka answers and has every topic with the right settings. */
export async function openClusterLog(host: ServiceHost, context: ServiceContext): Promise<KafkaLog> {
  const options = await clusterLogOptions(context);
  const plan = topicPlan(context);
  await untilAnswered(host, context, async () => {
    const problems = await topicProblems(options, plan, context);
    const missing = problems.filter(({ key }) => key === 'topic').map(({ topic }) => topic);
    if (missing.length > 0) {
      throw new TidemarkError(
        'unavailable',
        `no topic ${missing.join(', ')} exists yet; check that the coordinator runs`,
      );
    }
    refuseTopics(problems);
  });
  const log = await untilAnswered(host, context, () => openKafkaLog(options, context));
  host.add(() => log.close());
  return log;
}

/** Returns the topics that the settings require. */
export function topicPlan({ settings }: Pick<ServiceContext, 'settings'>): TopicPlan {
  const { kafka, data } = settings;
  return {
    partitions: { points: data.partitions, tags: data.partitions, control: 1, windows: data.partitions },
    replication: kafka.replication,
    minInSync: kafka.minInsync,
    allowsSingleCopy: kafka.allowSingleReplica,
    recordBytes: kafka.recordBytes,
  };
}

/** Retries `work` while brokers don't answer, with the error as the reason why the process is not ready. */
export async function untilAnswered<T>(host: ServiceHost, context: ServiceContext, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTidemarkError(error) || !PASSING.has(error.code)) throw error;
      await waitBecause(host, context, error.message, RETRY_MS);
    }
  }
}
