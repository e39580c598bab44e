import { describe, expect, test } from '@jest/globals';
import { Placement } from './placement.ts';

describe('a placement', () => {
  test('a placement has the replicas of each partition, and the partitions of each process', () => {
    const processes = [
      { address: 'a:1', partitions: [0, 1] },
      { address: 'b:2', partitions: [1, 2] },
    ];
    const placement = new Placement(processes);
    expect([0, 1, 2, 3].map((partition) => placement.ownersOf(partition))).toEqual([
      ['a:1'],
      ['a:1', 'b:2'],
      ['b:2'],
      [],
    ]);
    expect(placement.processes).toEqual(processes);
    placement.requireOwners(3, 'cluster.pointStores');
    expect(() => placement.requireOwners(4, 'cluster.pointStores')).toThrow(/partition 3 has no owner/);
  });

  test('a placement without processes has no owners', () => {
    expect(new Placement([]).ownersOf(0)).toEqual([]);
  });
});
