import { describe, expect, test } from '@jest/globals';
import { parseSettings } from './parse-settings.ts';

function clusterOf(cluster: Readonly<Record<string, string>>) {
  const text = JSON.stringify({ cluster });
  return parseSettings({ file: { name: 'my.json', text } }).cluster;
}

describe('settings that are lists in a text', () => {
  test('lists are parsed once, with the settings', () => {
    const cluster = clusterOf({
      intakes: 'a:1, [::1]:2,a:1',
      partitions: '0-3, 7,2',
      pointStores: 'a:1=0-1; b:2=1-2;',
    });
    expect(cluster.intakes).toEqual(['a:1', '[::1]:2']);
    expect(cluster.partitions).toEqual([0, 1, 2, 3, 7]);
    expect(cluster.pointStores).toEqual([
      { address: 'a:1', partitions: [0, 1] },
      { address: 'b:2', partitions: [1, 2] },
    ]);
    expect(cluster.tagStores).toEqual([]);
  });

  test('lists are empty by default', () => {
    const { cluster, kafka, agent } = parseSettings({});
    expect([cluster.intakes, cluster.partitions, cluster.pointStores, kafka.brokers, agent.addresses]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
  });

  test.each([
    [{ intakes: 'a' }, 'cluster.intakes: "a" (limit: host:port), given by my.json'],
    [{ coordinator: 'a:1,b:2' }, 'cluster.coordinator: "a:1,b:2" (limit: one host:port), given by my.json'],
    [{ partitions: '3-1' }, 'cluster.partitions: "3-1" (limit: ascending, below 65536), given by my.json'],
    [{ partitions: 'all' }, 'cluster.partitions: "all" (limit: partitions such as 0-3,7), given by my.json'],
    [{ tagStores: 'a:1=0;a:1=1' }, 'cluster.tagStores: a:1 is listed twice (limit: once), given by my.json'],
  ])('the list %j is refused with key, value and limit', (cluster, message) => {
    expect(() => clusterOf(cluster)).toThrow(expect.objectContaining({ code: 'invalid_argument', message }));
  });

  test('a wrong address in a list of texts is refused', () => {
    expect(parseSettings({ flags: { 'agent-addresses': 'a:1,b:2' } }).agent.addresses).toEqual(['a:1', 'b:2']);
    expect(() => parseSettings({ flags: { 'agent-addresses': 'a:1,b' } })).toThrow(
      'agent.addresses: "b" (limit: host:port), given by --agent-addresses',
    );
  });
});
