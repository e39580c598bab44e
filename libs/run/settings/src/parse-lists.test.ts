import { describe, expect, test } from '@jest/globals';
import { parseAddresses, parsePartitions, parsePlacement } from './parse-lists.ts';

describe('lists of partitions and addresses', () => {
  test('lists are parsed with spaces, ranges and repetitions', () => {
    expect(parsePartitions('0-3, 7,2')).toEqual([0, 1, 2, 3, 7]);
    expect(parseAddresses('a:1, [::1]:2,a:1')).toEqual(['a:1', '[::1]:2']);
    expect(parseAddresses(' ')).toEqual([]);
  });

  test.each(['', '3-1', '-1', '0-99999', 'all', '1;2', '0x1'])(
    'the list of partitions %j is refused with the limit',
    (text) => {
      expect(() => parsePartitions(text)).toThrow(/^".*" \(limit: /);
    },
  );

  test.each(['a', 'a:0', 'a:65536', 'a:b', 'http://a:1', ':1', '::1:5'])('the address %j is refused', (text) => {
    expect(() => parseAddresses(text)).toThrow(/^".*host:port/);
  });
});

describe('a placement', () => {
  test('a placement is parsed into addresses with their partitions', () => {
    expect(parsePlacement('a:1=0-1; b:2=1-2;')).toEqual([
      { address: 'a:1', partitions: [0, 1] },
      { address: 'b:2', partitions: [1, 2] },
    ]);
    expect(parsePlacement('')).toEqual([]);
  });

  test('a placement with an address that is listed twice, or with a wrong entry, is refused', () => {
    expect(() => parsePlacement('a:1=0;a:1=1')).toThrow(/^a:1 is listed twice/);
    expect(() => parsePlacement('a:1')).toThrow(/^"" \(limit: partitions/);
  });
});
