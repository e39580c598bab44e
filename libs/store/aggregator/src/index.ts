export { AGGREGATOR_VERSION } from './aggregator-meta.ts';
export type { AggregatorLimits, AggregatorPartitionOptions } from './aggregator-partition.ts';
export { AggregatorPartition } from './aggregator-partition.ts';
