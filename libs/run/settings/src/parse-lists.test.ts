import { describe, expect, test } from '@jest/globals';
import { parseAddresses, parsePartitions, parsePlacement } from './parse-lists.ts';

describe('lists of partitions and addresses', () => {
  test('are read as people write them', () => {
    expect(parsePartitions('0-3, 7,2')).toEqual([0, 1, 2, 3, 7]);
    expect(parseAddresses('a:1, [::1]:2,a:1')).toEqual(['a:1', '[::1]:2']);
    expect(parseAddresses(' ')).toEqual([]);
  });

  test.each(['', '3-1', '-1', '0-99999', 'all', '1;2', '0x1'])('refuse %j with the limit', (text) => {
    expect(() => parsePartitions(text)).toThrow(/^".*" \(limit: /);
  });

  test.each(['a', 'a:0', 'a:65536', 'a:b', 'http://a:1', ':1', '::1:5'])('refuse the address %j', (text) => {
    expect(() => parseAddresses(text)).toThrow(/^".*host:port/);
  });
});

describe('a placement', () => {
  test('is read as addresses with their partitions', () => {
    expect(parsePlacement('a:1=0-1; b:2=1-2;')).toEqual([
      { address: 'a:1', partitions: [0, 1] },
      { address: 'b:2', partitions: [1, 2] },
    ]);
    expect(parsePlacement('')).toEqual([]);
  });

  test('refuses an address that stands there twice, and entries that are none', () => {
    expect(() => parsePlacement('a:1=0;a:1=1')).toThrow(/^a:1 stands there twice/);
    expect(() => parsePlacement('a:1')).toThrow(/^"" \(limit: partitions/);
  });
});
