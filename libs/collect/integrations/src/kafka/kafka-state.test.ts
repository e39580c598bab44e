import { describe, expect, test } from '@jest/globals';
import { Readings } from '../testing/readings.ts';
import { bootstrapOf } from './kafka-instance.ts';
import {
  type ClusterState,
  type KafkaPartition,
  partitionsWithin,
  reportCluster,
  reportGroups,
  reportPartitions,
} from './kafka-state.ts';

const part = (topic: string, partition: number, leader: number, inSync: number[]): KafkaPartition => {
  return { topic, partition, leader, replicas: [1, 2], inSync };
};

const STATE: ClusterState = {
  id: 'abc',
  controller: 2,
  brokers: [1, 2],
  topics: new Map([
    ['b', [part('b', 0, 1, [1, 2]), part('b', 1, 1, [1])]],
    ['a', [part('a', 0, -1, [])]],
  ]),
};

describe('the state of a cluster', () => {
  test('is reported as sums', () => {
    const sink = new Readings();
    reportCluster(STATE, sink, ['x:y']);
    const of = (metric: string, ...tags: string[]): number[] => sink.values(metric, 'x:y', ...tags);
    expect(of('kafka.broker.count')).toEqual([2]);
    expect(of('kafka.cluster.controller_id')).toEqual([2]);
    expect(of('kafka.topic.count')).toEqual([2]);
    expect(of('kafka.replication.under_replicated_partitions')).toEqual([2]);
    expect(of('kafka.replication.offline_partitions_count')).toEqual([1]);
    expect(of('kafka.broker.leader_count', 'broker_id:1')).toEqual([2]);
    expect(of('kafka.broker.leader_count', 'broker_id:2')).toEqual([0]);
    expect(of('kafka.broker.partition_count', 'broker_id:2')).toEqual([3]);
  });

  test('is reported by partition, the same partitions each time, with the known offsets', () => {
    const chosen = partitionsWithin(STATE, 2);
    expect(chosen.map(({ topic, partition }) => `${topic}/${partition}`)).toEqual(['a/0', 'b/0']);
    const sink = new Readings();
    reportPartitions(chosen, new Map([['b/0', { beginning: 5, end: 12 }]]), sink, []);
    expect(sink.values('kafka.partition.offline', 'topic:a', 'partition:0')).toEqual([1]);
    expect(sink.values('kafka.partition.under_replicated', 'topic:b', 'partition:0')).toEqual([0]);
    expect(sink.values('kafka.partition.isr', 'topic:b')).toEqual([2]);
    expect(sink.tags('kafka.broker_offset')).toEqual(['topic:b,partition:0']);
    expect(sink.values('kafka.partition.beginning_offset')).toEqual([5]);
    expect(sink.values('kafka.partition.size')).toEqual([7]);
  });

  test('includes the lag of groups, bounded and never below zero', () => {
    const offsets = new Map([
      ['b/0', { end: 12 }],
      ['b/1', { end: 3 }],
      ['a/0', {}],
    ]);
    const at = (partition: number, offset: number, topic = 'b') => ({ group: 'g', topic, partition, offset });
    const sink = new Readings();
    expect(reportGroups([at(0, 10), at(0, 1, 'a'), at(0, 1, 'gone'), at(1, 9)], offsets, 2, sink, [])).toBe(0);
    expect(sink.tags('kafka.consumer_lag')).toEqual([
      'consumer_group:g,topic:b,partition:0',
      'consumer_group:g,topic:b,partition:1',
    ]);
    expect(sink.values('kafka.consumer_lag')).toEqual([2, 0]);
    expect(sink.values('kafka.consumer_offset')).toEqual([10, 9]);
    expect(reportGroups([at(0, 10), at(1, 9)], offsets, 1, new Readings(), [])).toBe(1);
  });
});

test('is read from brokers given as host:port', () => {
  expect(bootstrapOf({ brokers: ['a:1', '[::1]:9092'] })).toEqual([
    { host: 'a', port: 1 },
    { host: '::1', port: 9092 },
  ]);
  expect(() => bootstrapOf({ brokers: [] })).toThrow('kafka brokers: none (limit: at least one host:port)');
  for (const broker of ['a', 'a:0', 'kafka://a:1']) {
    expect(() => bootstrapOf({ brokers: [broker] })).toThrow('limit: host:port');
  }
});
