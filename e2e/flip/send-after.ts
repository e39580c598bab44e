import { type Question, STEP_MS } from './contents.ts';

/** Metrics of new points; there are enough for every partition to have some. */
const METRICS = 8;

/** Sends a point of each of some new metrics over HTTP. Returns the questions for those that were acknowledged. */
export async function sendAfter(url: string): Promise<Question[]> {
  const timeMs = Math.floor(Date.now() / STEP_MS - 1) * STEP_MS;
  const sent = await Promise.all(Array.from({ length: METRICS }, (_, index) => send(url, index, timeMs)));
  return sent.filter((question) => question !== undefined);
}

async function send(url: string, index: number, timeMs: number): Promise<Question | undefined> {
  const metric = `after.flip_${index}`;
  const points = [{ timestamp: timeMs / 1000, value: index + 1 }];
  const response = await fetch(`${url}/api/v2/series`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ series: [{ metric, type: 1, interval: STEP_MS / 1000, points }] }),
  });
  await response.text();
  if (!response.ok) return undefined;
  return {
    ...{ name: `the new point of ${metric}`, tenant: 'default', path: '/api/tidemark/v1/query' },
    body: { query: `sum:${metric}{*}.rollup(sum, 1)`, from_ms: timeMs, to_ms: timeMs + STEP_MS },
    throughMs: timeMs + STEP_MS,
    contentOf: ({ series }) =>
      (series as { times_ms: number[]; values: number[] }[]).map(({ times_ms, values }) => [times_ms, values]),
    right: [[[timeMs], [index + 1]]],
  };
}
