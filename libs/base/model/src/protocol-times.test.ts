import { describe, expect, test } from '@jest/globals';
import { assertRelations, PROTOCOL_TIMES, RELATIONS } from './protocol-times.ts';

/** All pairs, so that a relation that is deleted or changed fails a test. */
const PAIRS = [
  'giveUpMs < stampAgeMs',
  'stampAgeMs <= retentionMs',
  'requestKeyMs < retentionMs',
  'stampAgeMs <= mapLookbackMs',
  'requestKeyMs < mapLookbackMs',
  'stampAgeMs <= controlRetentionMs',
  'renewMs < lapseMs',
  'renewMs < markLeadMs',
  'lapseMs < leaseMs',
  'markMs < leaseMs',
  'clockToleranceMs < openDelayMs',
  'clockToleranceMs < mapDelayMs',
  'witnessMs < setBackMs',
  'leaseMs < agingStepMs',
];

describe('the protocol times', () => {
  test('have every relation', () => {
    const pairs = RELATIONS.map(({ less, than, orEqual = false }) => `${less} ${orEqual ? '<=' : '<'} ${than}`);
    expect(pairs).toEqual(PAIRS);
  });

  test.each(RELATIONS)('are refused when $less exceeds $than', ({ less, than, orEqual = false, otherwise }) => {
    const limit = PROTOCOL_TIMES[than];
    const broken = orEqual ? limit + 1 : limit;
    // Only this relation is passed: another one of the same time would fail first.
    const relations = RELATIONS.filter((relation) => relation.less === less && relation.than === than);
    expect(() => assertRelations({ ...PROTOCOL_TIMES, [less]: broken }, relations)).toThrow(
      `${less}: ${broken} (limit: ${orEqual ? 'at most' : 'below'} ${than}, ${limit}): otherwise ${otherwise}`,
    );
    expect(() => assertRelations({ ...PROTOCOL_TIMES, [less]: broken - 1 }, relations)).not.toThrow();
    expect(() => assertRelations({ ...PROTOCOL_TIMES, [less]: broken })).toThrow();
  });

  test('keep all relations', () => {
    expect(() => assertRelations(PROTOCOL_TIMES)).not.toThrow();
  });

  test.each([
    ['a client that outlasts stamps', { giveUpMs: PROTOCOL_TIMES.stampAgeMs }],
    ['stamps that outlast the memory of consumers', { stampAgeMs: PROTOCOL_TIMES.retentionMs + 1 }],
    ['a session that accepts until it is fenced', { lapseMs: PROTOCOL_TIMES.leaseMs }],
    ['a lane that opens sooner than clocks agree', { openDelayMs: PROTOCOL_TIMES.clockToleranceMs }],
  ])('do not allow %s', (_, change) => {
    expect(() => assertRelations({ ...PROTOCOL_TIMES, ...change })).toThrow();
  });
});
