import { describe, expect, test } from '@jest/globals';
import { Placement, parseAddresses, parsePartitions } from './index.ts';

describe('lists of partitions and addresses', () => {
  test('are read as people write them', () => {
    expect(parsePartitions('0-3, 7,2', 'x')).toEqual([0, 1, 2, 3, 7]);
    expect(parseAddresses('a:1, [::1]:2,a:1', 'x')).toEqual(['a:1', '[::1]:2']);
    expect(parseAddresses(' ', 'x')).toEqual([]);
  });

  test.each(['', '3-1', '-1', '0-99999', 'all', '1;2', '0x1'])('refuse %j with field and limit', (text) => {
    expect(() => parsePartitions(text, 'store.partitions')).toThrow(/^store\.partitions: .*\(limit: /);
  });

  test.each(['a', 'a:0', 'a:65536', 'a:b', 'http://a:1', ':1', '::1:5'])('refuse the address %j', (text) => {
    expect(() => parseAddresses(text, 'cluster.intakes')).toThrow(/^cluster\.intakes: .*host:port/);
  });
});

describe('a placement', () => {
  test('knows the replicas of each partition, and what each process owns', () => {
    const placement = Placement.parse('a:1=0-1; b:2=1-2;', 'cluster.pointStores');
    expect([0, 1, 2, 3].map((partition) => placement.ownersOf(partition))).toEqual([
      ['a:1'],
      ['a:1', 'b:2'],
      ['b:2'],
      [],
    ]);
    expect(placement.processes[1]).toEqual({ address: 'b:2', partitions: [1, 2] });
    placement.requireOwners(3, 'cluster.pointStores');
    expect(() => placement.requireOwners(4, 'cluster.pointStores')).toThrow(/partition 3 has no owner/);
  });

  test('refuses an address that stands there twice, and entries that are none', () => {
    expect(() => Placement.parse('a:1=0;a:1=1', 'f')).toThrow(/f: a:1 stands there twice/);
    expect(() => Placement.parse('a:1', 'f')).toThrow(/f: "" \(limit: partitions/);
    expect(Placement.parse('', 'f').processes).toEqual([]);
  });
});
