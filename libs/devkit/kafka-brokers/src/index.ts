export type { BrokerOptions } from './broker.ts';
export { KafkaBroker } from './broker.ts';
export type { DistributionOptions } from './distribution.ts';
export type { BrokerEndpoint, KafkaClusterOptions } from './kafka-cluster.ts';
export { KafkaCluster } from './kafka-cluster.ts';
export type { BrokerPorts, ListenerSecurity } from './server-properties.ts';
export { whyNoKafka } from './why-no-kafka.ts';
