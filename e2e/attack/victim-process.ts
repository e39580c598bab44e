// A well-behaved tenant in a process of its own, so that attackers do not delay its measurements: sends and queries ten
// times a second, and reports when its standard input ends.
import { setTimeout as delay } from 'node:timers/promises';
import type { VictimOptions, VictimReport } from './victim.ts';

const INTERVAL_MS = 100;
const RANGE_MS = 60_000;
const TIMEOUT_MS = 60_000;
const SERIES = 20;

const { url, key }: VictimOptions = JSON.parse(process.argv[2]);
const sent: number[] = [];
const asked: number[] = [];
const refusals = new Map<string, number>();
const lagsMs: number[] = [];
let isOver = false;
process.on('message', () => {
  isOver = true;
});
process.on('disconnect', () => process.exit(1));

await Promise.all([repeat(send), repeat(ask)]);
const report: VictimReport = { sent, asked, refusals: Object.fromEntries(refusals), lagsMs };
process.send?.(report, () => process.exit(0));

async function repeat(act: () => Promise<void>): Promise<void> {
  while (!isOver) {
    await act().catch((error: unknown) => refuse(String((error as { cause?: unknown }).cause ?? error)));
    await delay(INTERVAL_MS);
  }
}

async function send(): Promise<void> {
  const timestamp = Math.floor(Date.now() / 1000);
  const series = Array.from({ length: SERIES }, (_, i) => {
    return { metric: 'victim.work', type: 1, points: [{ timestamp, value: 1 }], tags: [`shard:${i}`] };
  });
  const began = performance.now();
  const reply = await fetch(`${url}/api/v2/series`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dd-api-key': key },
    body: JSON.stringify({ series }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await reply.text();
  if (reply.status === 202) sent.push(performance.now() - began);
  else refuse(`send ${reply.status} ${text}`);
}

async function ask(): Promise<void> {
  const nowMs = Date.now();
  const began = performance.now();
  const reply = await fetch(`${url}/api/tidemark/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'dd-api-key': key },
    body: JSON.stringify({ query: 'sum:victim.work{*}', from_ms: nowMs - RANGE_MS, to_ms: nowMs }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await reply.text();
  if (reply.status !== 200) return refuse(`query ${reply.status} ${text}`);
  asked.push(performance.now() - began);
  const { complete_through_ms: completeThroughMs } = JSON.parse(text) as { complete_through_ms: number | null };
  if (typeof completeThroughMs === 'number') lagsMs.push(nowMs - completeThroughMs);
  else refuse('an answer without complete_through_ms');
}

function refuse(reason: string): void {
  const short = reason.slice(0, 200);
  refusals.set(short, (refusals.get(short) ?? 0) + 1);
}
