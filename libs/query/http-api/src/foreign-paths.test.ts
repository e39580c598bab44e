import { expect, test } from '@jest/globals';
import { foreignPath } from './foreign-paths.ts';

test.each([
  ['/api/v1/query_range', /^PromQL is not supported; .*docs\/remote-write\.md/],
  ['/api/v1/labels', /^PromQL/],
  ['/api/v1/label/job/values', /^PromQL/],
  ['/api/v1/series', /^PromQL/],
  ['/api/v1/metadata', /^PromQL/],
  ['/api/v1/status/buildinfo', /^PromQL/],
  ['/api/v1/read', /^remote read is not supported/],
  ['/metrics', /tidemark status.*tidemark doctor/],
  ['/federate', /tidemark status/],
  ['/-/ready', /\/readyz/],
  ['/graph', /^the page is at \/$/],
  ['/api/v2/metrics/system.load.1/volumes', /keeps all tags/],
  ['/api/v2/metrics/system.load.1/tag-indexing-rules', /keeps all tags/],
  ['/api/v2/metrics/tag-indexing-rules/order', /keeps all tags/],
])('GET %s comes with advice', (path, advice) => {
  expect(foreignPath('GET', path)).toMatchObject({ status: 404, advice: expect.stringMatching(advice) });
});

test.each([
  ['/api/v1/events', 400, /^events are not accepted/],
  ['/api/v1/metadata', 400, /^host metadata/],
  ['/intake/', 400, /^events and host metadata/],
  ['/intake', 400, /^events and host metadata/],
  ['/api/v2/logs', 400, /^logs/],
  ['/v1/input', 400, /^logs/],
  ['/api/v0.2/traces', 400, /^traces/],
  ['/v0.4/traces', 400, /^traces/],
  ['/api/intake/metrics/v3/series', 400, /^version 3 is not accepted; .*use_v3_api/],
  ['/api/intake/metrics/v3beta/sketches', 400, /^version 3/],
  ['/api/v1/series', 404, /an intake/],
  ['/api/beta/sketches', 404, /an intake/],
  ['/api/v1/labels', 404, /^PromQL/],
])('POST %s is answered by %d with the reason', (path, status, advice) => {
  expect(foreignPath('POST', path)).toMatchObject({ status, advice: expect.stringMatching(advice) });
});

test.each(['/', '/api/v1/query', '/api/v1/metrics', '/metrics/x', '/api/v1/label/a/b/values', '/api/v2/metrics/a/b'])(
  '%s is not foreign',
  (path) => {
    expect(foreignPath('GET', path)).toBeUndefined();
    expect(foreignPath('POST', path)).toBeUndefined();
  },
);
