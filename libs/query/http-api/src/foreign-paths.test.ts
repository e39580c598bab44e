import { expect, test } from '@jest/globals';
import { foreignPath } from './foreign-paths.ts';

test.each([
  ['/api/v1/query_range', /^PromQL is not supported; .*docs\/remote-write\.md/],
  ['/api/v1/labels', /^PromQL/],
  ['/api/v1/label/job/values', /^PromQL/],
  ['/api/v1/series', /^PromQL/],
  ['/api/v1/status/buildinfo', /^PromQL/],
  ['/api/v1/read', /^remote read is not supported/],
  ['/metrics', /tidemark status.*tidemark doctor/],
])('%s comes with advice', (path, advice) => {
  expect(foreignPath(path)).toMatch(advice);
});

test.each(['/', '/api/v1/query', '/api/v1/metrics', '/metrics/x', '/api/v1/label/a/b/values'])(
  '%s is not foreign',
  (path) => {
    expect(foreignPath(path)).toBeUndefined();
  },
);
