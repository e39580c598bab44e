import { expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { ManualClock } from '@tidemark/simulation';
import { ClientDictionary } from './client-dictionary.ts';
import { LaneDefinitions } from './lane-definitions.ts';

const ID = Buffer.alloc(16, 1);

function dictionaryOf(series: number): ClientDictionary {
  const dictionary = new ClientDictionary(1, 0);
  for (let i = 0; i < series; i++) {
    dictionary.add({ seriesId: ID, metricId: ID, seriesClass: SERIES_CLASS.reading }, undefined);
  }
  return dictionary;
}

const share = (dictionary: ClientDictionary) => ({
  dictionary,
  summary: { maxRef: dictionary.size - 1, points: 1, sketches: 0, minTimeMs: 0, maxTimeMs: 0, mayBeNonFinite: false },
});

test('clients that come and go leave nothing behind, also within one epoch', () => {
  const definitions = new LaneDefinitions({ epochMs: 1e12, epochRefs: 1e9 }, new ManualClock());
  const stays = dictionaryOf(3);
  for (let i = 0; i < 10_000; i++) {
    const dictionary = dictionaryOf(1);
    definitions.begin();
    definitions.appended(i, definitions.next([share(dictionary), share(stays)], 10_000));
    dictionary.leave();
    expect(definitions.size).toBeLessThanOrEqual(64);
  }
  expect([definitions.epoch, definitions.next([share(stays)], 10_000).definitions]).toEqual([0, []]);
});

test('an epoch begins at epochRefs once half of the refs are of clients that have left, not earlier', () => {
  const definitions = new LaneDefinitions({ epochMs: 1e12, epochRefs: 100 }, new ManualClock());
  const stays = dictionaryOf(150);
  const block = (dictionary: ClientDictionary) => {
    definitions.begin();
    definitions.appended(1, definitions.next([share(dictionary)], 1e6));
    return definitions.epoch;
  };
  for (let i = 0; i < 10; i++) expect(block(stays)).toBe(0);
  for (let i = 0; i < 3; i++) {
    const leaves = dictionaryOf(60);
    expect(block(leaves)).toBe(0);
    leaves.leave();
  }
  expect(block(stays)).toBe(1);
});
