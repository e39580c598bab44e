import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IndexState } from './index-state.ts';
import { FILE_KIND, type SpoolRecord } from './spool-format.ts';

const BATCHES = 8;
const batch = fc.nat(BATCHES - 1);
const step = fc.oneof<fc.Arbitrary<SpoolRecord>[]>(
  fc.record({ file: fc.integer({ min: 1, max: 4 }), numbers: fc.uniqueArray(batch), endBytes: fc.nat(1000) }).map(
    ({ file, numbers, endBytes }): SpoolRecord => ({
      type: 'extent',
      extent: {
        ...{ file, kind: file % 2 === 0 ? FILE_KIND.waiting : FILE_KIND.stamped, endBytes, numbers },
        ...{ points: numbers.map((number) => number + 1), nextSequence: endBytes },
      },
    }),
  ),
  fc.array(batch).map((numbers): SpoolRecord => ({ type: 'settled', numbers })),
  fc.array(batch).map((numbers): SpoolRecord => ({ type: 'unsure', numbers, points: numbers.map(() => 2) })),
  fc.integer({ min: 1, max: 4 }).map((file): SpoolRecord => ({ type: 'removed', files: [file] })),
);

function stateOf(records: Iterable<SpoolRecord>): IndexState {
  const state = new IndexState();
  for (const record of records) state.apply(record);
  return state;
}

function contentOf({ files, settled, unsure }: IndexState) {
  return {
    files: new Map([...files].map(([number, { kind, endBytes, batches }]) => [number, { kind, endBytes, batches }])),
    settled,
    unsure,
  };
}

test('the records of a state lead to it again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (records) => {
      const state = stateOf(records);
      expect(contentOf(stateOf(state.records()))).toEqual(contentOf(state));
    }),
  );
});

test('only batches that a file has are settled or unsure', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (records) => {
      const { files, settled, unsure } = stateOf(records);
      const held = new Set([...files.values()].flatMap(({ batches }) => [...batches.keys()]));
      expect([...settled, ...unsure.keys()].filter((number) => !held.has(number))).toEqual([]);
    }),
  );
});

test('a batch is forgotten with its last file', () => {
  const extent = (file: number): SpoolRecord => ({
    type: 'extent',
    extent: { file, kind: FILE_KIND.waiting, endBytes: 10, nextSequence: 0, numbers: [5], points: [1] },
  });
  const state = stateOf([extent(1), extent(2), { type: 'settled', numbers: [5] }, { type: 'removed', files: [1] }]);
  expect([...state.settled]).toEqual([5]);
  state.apply({ type: 'removed', files: [2] });
  expect([state.settled.size, state.files.size]).toEqual([0, 0]);
});
