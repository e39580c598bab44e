import * as z from 'zod';
import { choice, KIB, text, whole, yesOrNo } from '../setting.ts';

/** The Kafka that carries the log of a cluster. */
export const KAFKA = z.strictObject({
  brokers: text('', 64 * KIB, 'Addresses to begin with: `host:port, host:port`; the cluster tells the others.'),
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
});
