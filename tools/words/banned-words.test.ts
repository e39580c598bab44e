import { describe, expect, test } from '@jest/globals';
import { BANNED_WORDS } from './banned-words.ts';
import { findWords } from './find-words.ts';

/** A sentence with the word, and a correct one that comes close to it. */
const EXAMPLES: Record<string, readonly [wrong: string, right: string]> = {
  nobody: ['nobody reads it', 'no client reads it'],
  somebody: ['somebody deleted the topic', 'an operator deleted the topic'],
  whoever: ['whoever asks gets it', 'whichever caller asks gets it'],
  whatever: ['whatever the order', 'in any order'],
  told: ['it was told the offset', 'it stores the offset'],
  tell: ['it tells of a failure', 'it reports a failure from a teller'],
  hear: ['clients hear of a map', 'clients receive a map; hearsay'],
  'let go': ['lets go of records', 'lets records go'],
  'come again': ['the request has to come again', 'the request comes once; again it fails'],
  'go on': ['the other partition goes on', 'the sequence goes on disk'],
  'look at': ['it looks at the disk', 'it looks up the key'],
  beside: ['the count beside the sum', 'the count by the side of the sum'],
  besides: ['besides, it logs', 'it also logs'],
  anew: ['the topic was made anew', 'the topic was made of a new kind'],
  'keep book': ['it keeps book of series', 'it keeps bookmarks'],
  'give way': ['a slow reader gives way', 'the map gives ways in'],
  'but for': ['stateless but for its streams', 'this is not for reads but for writes'],
  'stands there': ['the replica stands still', '`*` stands for any text'],
  stood: ['the mark stood at 4', 'the mark was understood'],
  'is over': ['the term is over: another one began', 'the size is over 4 KiB'],
  'is away': ['a broker that is away', 'the segment is 4 KiB away'],
  'is no': ['null is no number', 'there is no number, and it is no longer read'],
  'held against': ['the answers are held against the log', 'the lock is held for the log'],
  'sees to': ['the tenant sees to its keys', 'the tenant sees tokens'],
  'in good order': ['it leaves in good order', 'it leaves in order'],
  'of no use': ['the writer is of no use', 'the writer has no use of it'],
  'for good': ['the points are lost for good', 'the counter for good points'],
  'for ever': ['it is kept for ever', 'it is kept for every tenant'],
  'is to': ['a request is to be sent', 'the aim is to send it; distance is to the end'],
  '… at the start': ['…and of one tenant.', 'Open streams per tenant, …'],
  least: ['the least offset', 'at least one offset of the least recently used'],
  greatest: ['the greatest offset', 'the greatest common divisor'],
  dear: ['a dear check', 'a clear check'],
  door: ['the door of an operator', 'the indoor sensor'],
  bed: ['the bed starts brokers', 'the value is embedded'],
  patient: ['the patient runs', 'with patience'],
  'angle quotation marks': ['the mark «now»', 'the mark "now"'],
};

test('every banned word has an example', () => {
  expect(BANNED_WORDS.map(({ word }) => word).sort()).toEqual(Object.keys(EXAMPLES).sort());
});

describe.each(Object.entries(EXAMPLES))('%s', (word, [wrong, right]) => {
  test('is found in a message', () => {
    expect(findWords('libs/a/b/src/c.ts', `throw new Error(${JSON.stringify(wrong)});`)).toMatchObject([
      { line: 1, kind: 'message', word },
    ]);
  });

  test('is not found in a correct sentence', () => {
    const found = findWords('libs/a/b/src/c.ts', `throw new Error(${JSON.stringify(right)});`);
    expect(found.map((one) => one.word)).not.toContain(word);
  });

  test('has a replacement', () => {
    expect(BANNED_WORDS.find((one) => one.word === word)?.use).toMatch(/\w/);
  });
});

test.each(['Nobody knows.', 'It lets\n * go of them.', 'It LOOKS AT it.'])('%j is found in a comment', (text) => {
  expect(findWords('libs/a/b/src/c.ts', `/** ${text} */`)).toMatchObject([{ line: 1, kind: 'comment' }]);
});
