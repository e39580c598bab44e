export type { AggregatorLimits, AggregatorPartitionOptions } from './aggregator-partition.ts';
export { AggregatorPartition } from './aggregator-partition.ts';
