import { expect, test } from '@jest/globals';
import { seriesName } from '@tidemark/model';
import { assert, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { Rejections, refusalOf } from './rejections.ts';

test('points are counted by reason, with the field and the limit of the first', () => {
  const rejections = new Rejections();
  rejections.add('a', 'field', '1 byte');
  rejections.refuse({ reason: 'b', field: 'other', limit: '2 bytes' });
  rejections.add('a', 'field', '1 byte', 4);
  expect(rejections.points).toBe(6);
  expect(rejections.list).toEqual([
    { reason: 'a', field: 'field', limit: '1 byte', points: 5, message: 'field: a (limit: 1 byte)' },
    { reason: 'b', field: 'other', limit: '2 bytes', points: 1, message: 'other: b (limit: 2 bytes)' },
  ]);
});

test('the message has the example of the first points', () => {
  const rejections = new Rejections();
  rejections.add('a', 'field', '1 byte', 2, 'metric x');
  rejections.add('a', 'field', '1 byte', 1, 'metric y');
  expect(rejections.has('a')).toBe(true);
  expect(rejections.list[0].message).toBe('field: a (limit: 1 byte), for example metric x');
});

test('an error about bad input describes a refusal', () => {
  const error = new TidemarkError('invalid_argument', 'tags', { reason: 'too_many_tags', field: 'tags', limit: 100 });
  const refusal = { reason: 'too_many_tags', field: 'tags', limit: '100', firstMetric: 'shop.price' };
  expect(refusalOf(error, 'shop.price')).toEqual(refusal);
  const rejections = new Rejections();
  for (let i = 0; i < 2; i++) rejections.refuse(refusal);
  expect(rejections.list[0].message).toBe('tags: too_many_tags (limit: 100); first in shop.price');
});

test.each(['a\u0001b', '', 'a\ufffd'])(
  'a program, and every protocol, gets the same text for the metric %j',
  (metric) => {
    let thrown: unknown;
    try {
      seriesName('t', metric, 1, []);
    } catch (error) {
      thrown = error;
    }
    assert(isTidemarkError(thrown), 'the name is refused');
    const rejections = new Rejections();
    rejections.refuse(refusalOf(thrown, ''));
    expect(rejections.list[0].message).toBe(thrown.message);
  },
);

test('the message escapes control characters, and names no metric that is empty', () => {
  const rejections = new Rejections();
  rejections.add('a', 'field', '1 byte', 1, 'metric x\ny');
  rejections.refuse({ reason: 'b', field: 'metric', limit: 'no control characters', firstMetric: 'x\n\u001b[2Jy' });
  rejections.refuse({ reason: 'c', field: 'metric', limit: 'at least 1 byte', firstMetric: '' });
  expect(rejections.list.map(({ message }) => message)).toEqual([
    'field: a (limit: 1 byte), for example metric x\\ny',
    'metric: b (limit: no control characters); first in x\\n\\u001b[2Jy',
    'metric: c (limit: at least 1 byte)',
  ]);
});
