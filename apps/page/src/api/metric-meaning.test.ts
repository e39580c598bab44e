import { expect, test } from '@jest/globals';
import { bodyOf, changesOf, type MetricMeaning, shows } from './metric-meaning.ts';

const MEANING: MetricMeaning = {
  fields: { type: 'counter', unit: 'byte', description: '', interval: '15' },
  sources: { type: 'user', unit: 'protocol', description: '', interval: 'protocol' },
};

test('only what differs is sent, and an empty field takes the statement back', () => {
  expect(changesOf(MEANING, { type: 'gauge', unit: ' byte ', description: '', interval: '' })).toEqual({
    type: 'gauge',
    interval: '',
  });
  expect(bodyOf({ type: 'gauge', interval: '' })).toEqual({ type: 'gauge', statsd_interval: 0 });
  expect(JSON.stringify(bodyOf({ unit: '' }))).toBe('{"unit":""}');
});

test('a text that is not a number goes to the server as it is, which refuses it with the limit', () => {
  expect(bodyOf({ interval: '10 s' })).toEqual({ statsd_interval: '10 s' });
  expect(bodyOf({ interval: '2.5' })).toEqual({ statsd_interval: 2.5 });
});

test('a change shows when it is what the user states, or no longer stated by the user', () => {
  expect(shows(MEANING, { type: 'counter' })).toBe(true);
  expect(shows(MEANING, { type: 'gauge' })).toBe(false);
  expect(shows(MEANING, { unit: 'byte' })).toBe(false);
  expect(shows(MEANING, { type: '' })).toBe(false);
  expect(shows(MEANING, { unit: '', interval: '0' })).toBe(true);
  expect(shows({ ...MEANING, sources: { ...MEANING.sources, interval: 'user' } }, { interval: '15.0' })).toBe(true);
});
