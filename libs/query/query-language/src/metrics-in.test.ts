import { expect, test } from '@jest/globals';
import { metricsIn } from './completion.ts';

test.each([
  ['sum:a.hits{*} / sum:b{*}.as_count(), max(avg:"c d"{*} by {x}), avg:b{*}', ['a.hits', 'b', 'c d']],
  ['', []],
  ['avg:a{*', []],
])('%s has the metrics %j', (text, metrics) => expect(metricsIn(text)).toEqual(metrics));
