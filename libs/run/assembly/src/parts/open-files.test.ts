import { describe, expect, test } from '@jest/globals';
import { openFilesPerDatabase, requireOpenFiles } from './open-files.ts';

const FOUR_PARTITIONS = { databases: 8, logPartitions: 9 };

describe('the limit of open files', () => {
  test('too low a limit is refused with the number that is needed, and that number is enough', () => {
    const refused = () => requireOpenFiles(64, FOUR_PARTITIONS);
    expect(refused).toThrow(/^64 open files are allowed, and 8 databases need 235: raise the limit \(ulimit -n/);
    expect(() => requireOpenFiles(234, FOUR_PARTITIONS)).toThrow('need 235');
    requireOpenFiles(235, FOUR_PARTITIONS);
    requireOpenFiles(undefined, FOUR_PARTITIONS);
    expect(() => requireOpenFiles(1024, { databases: 128, logPartitions: 129 })).toThrow('need 2515');
  });

  test('databases share what is left, within the bounds of RocksDB', () => {
    expect(openFilesPerDatabase(undefined, FOUR_PARTITIONS)).toBeUndefined();
    expect(openFilesPerDatabase(235, FOUR_PARTITIONS)).toBe(20);
    expect(openFilesPerDatabase(1024, FOUR_PARTITIONS)).toBe(10 + Math.floor((768 - 80 - 48 - 27) / 8));
    expect(openFilesPerDatabase(1_048_576, FOUR_PARTITIONS)).toBe(512);
  });
});
