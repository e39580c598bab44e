export type { KafkaLogParts } from './kafka-log.ts';
export { KafkaLog, openKafkaLog } from './kafka-log.ts';
export type { KafkaLogLimits, KafkaLogOptions, KafkaSasl, KafkaTls } from './kafka-options.ts';
export { DEFAULT_KAFKA_LOG_LIMITS } from './kafka-options.ts';
export type { Producer } from './kafka-writer.ts';
export { KafkaWriter } from './kafka-writer.ts';
export type { TopicPlan, TopicProblem } from './topic-plan.ts';
export { checkTopics, prepareTopics, refuseTopics, topicProblems } from './topics.ts';
