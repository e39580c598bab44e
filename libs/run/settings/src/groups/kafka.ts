import { DEFAULT_KAFKA_LOG_LIMITS } from '@tidemark/kafka-log/options';
import * as z from 'zod';
import { addresses } from '../list-settings.ts';
import { choice, GIB, KIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const K = DEFAULT_KAFKA_LOG_LIMITS;

/** The Kafka that carries the log of a cluster. */
export const KAFKA = z.strictObject({
  brokers: addresses(64 * KIB, 'Addresses to begin with: `host:port, host:port`; the cluster tells the others.'),
  topicPrefix: text('tidemark-', 200, 'Put before the names of the topics, so that deployments can share a Kafka.'),
  replication: whole(
    3,
    'replicas',
    1,
    100,
    'Replicas of the topics that the coordinator makes, and the least that a start accepts.',
  ),
  minInsync: whole(2, 'replicas', 1, 100, '`min.insync.replicas` of the topics that the coordinator makes.'),
  allowSingleReplica: yesOrNo(
    false,
    'Accept topics with `min.insync.replicas` of 1: a broker that dies may then lose what was acknowledged. For trying things out.',
  ),
  tls: yesOrNo(false, 'Speak TLS to the brokers.'),
  caFile: text('', 4096, 'Authorities that the brokers are judged by, PEM; empty: those that Node knows.'),
  certFile: text('', 4096, 'Certificate of this client, PEM, where the brokers ask for one.'),
  keyFile: text('', 4096, 'Its private key, PEM.'),
  saslMechanism: choice(
    'none',
    ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
    'How this client says who it is; PLAIN only makes sense with TLS.',
  ),
  saslUser: text('', 255, 'User name.'),
  saslPasswordFile: text('', 4096, 'File with the password; it is never logged.'),
  saslPassword: text('', 1024, 'The password itself, where no file is given.', { isSecret: true }),
  recordBytes: whole(
    K.recordBytes,
    'bytes',
    MIB,
    256 * MIB,
    'One record. `max.message.bytes` of the topics must be a little more.',
  ),
  inFlightBytes: whole(K.inFlightBytes, 'bytes', MIB, 16 * GIB, 'Records on their way to the brokers; others wait.'),
  readBytes: whole(K.readBytes, 'bytes', 64 * KIB, 256 * MIB, 'One read from a broker.'),
  appendConnections: whole(K.appendConnections, 'connections', 1, 1000, 'Connections to one broker for appends.'),
  readConnections: whole(
    K.readConnections,
    'connections',
    1,
    10_000,
    'Connections to one broker for reads: each read that waits for a record has one.',
  ),
  waitingRequests: whole(K.waitingRequests, 'requests', 1, 1_000_000, 'Requests that may wait for a connection.'),
  connectMs: whole(K.connectMs, 'ms', 100, 600_000, 'How long a connection may take to be made.'),
  requestMs: whole(K.requestMs, 'ms', 1000, 600_000, 'How long a broker may take to answer.'),
  retryMs: whole(K.retryMs, 'ms', 0, 600_000, 'How long failures that pass, such as a new leader, are tried again.'),
  readWaitMs: whole(K.readWaitMs, 'ms', 10, 600_000, 'How long one read may wait at a broker for a record.'),
});
