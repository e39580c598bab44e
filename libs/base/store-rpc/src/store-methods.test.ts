import { describe, expect, test } from '@jest/globals';
import { AggregatorService, PointStoreService, TagStoreService } from '@tidemark/contract';
import { requestedPartition } from './sliced-call.ts';
import {
  definitionOf,
  methodsOf,
  partitionReader,
  queryReader,
  reachOf,
  STORE_METHODS,
  type StoreKind,
} from './store-methods.ts';

const KINDS = Object.keys(STORE_METHODS) as StoreKind[];
const SERVICES = { points: PointStoreService, tags: TagStoreService, aggregator: AggregatorService };

describe('the table of store methods', () => {
  test('has a row for every method of the generated services', () => {
    for (const kind of KINDS) {
      const rows = methodsOf(kind, 'anyReplica', 'oneReplica', 'process').map(
        (method) => definitionOf(kind, method).path,
      );
      expect(rows.sort()).toEqual(
        Object.values(SERVICES[kind])
          .map(({ path }) => path)
          .sort(),
      );
    }
  });

  test('has the partition of every request in field 1, where it is read without decoding the rest', () => {
    for (const kind of KINDS) {
      for (const method of methodsOf(kind, 'anyReplica', 'oneReplica')) {
        // Field 1 as a varint, and an unknown field after it.
        const request = Buffer.of(0x08, 0xac, 0x02, 0xfa, 0x3f, 0x01, 0x00);
        expect(definitionOf(kind, method).requestDeserialize(request)).toMatchObject({ partition: 300 });
        expect(requestedPartition(request).partition).toBe(300);
      }
    }
  });

  test('makes readers of the methods of queries, and of the methods of one partition', () => {
    const make = (method: string) => async () => method;
    expect(Object.keys(queryReader('points', make))).toEqual(['aggregate', 'status']);
    expect(Object.keys(partitionReader('points', make))).toEqual(['aggregate', 'status', 'stateHash']);
    expect(Object.keys(queryReader('aggregator', make))).toEqual([]);
  });

  test('has the reach of every method', () => {
    for (const kind of KINDS) {
      for (const reach of ['anyReplica', 'oneReplica', 'process'] as const) {
        for (const method of methodsOf(kind, reach)) expect(reachOf(kind, method)).toBe(reach);
      }
    }
  });

  test('refuses a method that it does not have', () => {
    expect(() => definitionOf('points', 'constructor')).toThrow('points stores have no method constructor');
    expect(() => reachOf('points', 'constructor')).toThrow('points stores have no method constructor');
  });
});
