export type { AggregatorLimits, AggregatorPartitionOptions } from './aggregator-partition.ts';
export { AggregatorPartition } from './aggregator-partition.ts';
export type { AggregatorReader } from './aggregator-service.ts';
export { aggregatorService, grpcAggregator } from './aggregator-service.ts';
