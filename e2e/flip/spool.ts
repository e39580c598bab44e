import { join } from 'node:path';
import { type Client, connect } from '@tidemark/client';
import { isTidemarkError } from '@tidemark/ports';
import { eventually } from '../process/eventually.ts';
import type { PlatformUnderTest } from '../process/platform-under-test.ts';
import { RANGE_MS, STEP_MS } from './contents.ts';

/** The folder of a sender's spool in the data folder, as that of the platform's own agent. */
export const SPOOL_FOLDER = 'agent';
/** Batches of a sender whose platform froze after it greeted it, and of one without a platform. */
const SENT = 6;
const UNREACHED = 6;
const METRIC = 'spooled.points';
const BEFORE_MS = 3_600_000;
const SETTLE_MS = 20_000;
/** No process listens there. */
const NOWHERE = '127.0.0.1:1';

/** Batches of one point each, which a sender stamps, sends and keeps because a frozen platform does not acknowledge them. */
export async function spoolSent(platform: PlatformUnderTest, folder: string, startMs: number): Promise<void> {
  const client = await open(platform.grpcAddress, folder);
  // A batch waits for the answer to the definitions of its series, so these are defined by points outside of what is asked.
  await record(client, startMs - BEFORE_MS, 0, SENT);
  await client.settled();
  const { batchesSent } = client.stats();
  platform.freeze();
  await record(client, startMs, 0, SENT);
  await eventually('the batches to be sent', () => client.stats().batchesSent >= batchesSent + SENT);
  await client.close();
  platform.thaw();
}

/** Batches of one point each, which a sender keeps because no platform runs. */
export async function spoolUnsent(folder: string, startMs: number): Promise<void> {
  const client = await open(NOWHERE, folder);
  await record(client, startMs, SENT, SENT + UNREACHED);
  await client.close();
}

/** What a sender with the damaged spool said. */
export type SpoolReport = { readonly refused: Error } | { readonly said: string };

/** Sends what the spool has. */
export async function sendSpool(address: string, folder: string): Promise<SpoolReport> {
  let client: Client;
  try {
    client = await open(address, folder);
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return { refused: error };
  }
  await Promise.race([client.settled(), new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref())]);
  const { spoolBadBytes, droppedPoints, indeterminatePoints, refusedPoints, pendingPoints } = client.stats();
  const counts = Object.entries({ spoolBadBytes, droppedPoints, indeterminatePoints, refusedPoints, pendingPoints });
  await client.close();
  return { said: counts.flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : [])).join(', ') };
}

/** The question for the points of the spool. */
export function spoolQuestion(startMs: number): Readonly<Record<string, unknown>> {
  const query = `sum:${METRIC}{*} by {batch}.rollup(sum, 1)`;
  return { query, from_ms: startMs, to_ms: startMs + RANGE_MS };
}

/** Says which batches an answer lacks, and which it has with another value; such a value was counted twice. */
export function spoolFaults(answer: Record<string, unknown>, startMs: number): { missing: number[]; wrong: string[] } {
  const series = answer.series as { tag_set: string[]; times_ms: number[]; values: number[] }[];
  const found = new Map(series.map((one) => [one.tag_set.join(), one]));
  const faults = { missing: [] as number[], wrong: [] as string[] };
  for (let batch = 0; batch < SENT + UNREACHED; batch++) {
    const one = found.get(tagOf(batch));
    found.delete(tagOf(batch));
    if (one === undefined) faults.missing.push(batch);
    else if (
      one.times_ms.join() !== String(startMs + batch * STEP_MS) ||
      one.values.join() !== String(amountOf(batch))
    ) {
      faults.wrong.push(`batch ${batch}: ${JSON.stringify(one)}`);
    }
  }
  for (const one of found.values()) faults.wrong.push(`unknown: ${JSON.stringify(one)}`);
  return faults;
}

function open(address: string, folder: string): Promise<Client> {
  const spoolFolder = join(folder, SPOOL_FOLDER);
  const times = { flushIntervalMs: 0, backoffMs: 20, maxBackoffMs: 100, closeTimeoutMs: 0 };
  return connect({ name: 'spooling flips', address, spoolFolder, ...times });
}

async function record(client: Client, startMs: number, from: number, to: number): Promise<void> {
  for (let batch = from; batch < to; batch++) {
    client.series(METRIC, 'count', [tagOf(batch)], STEP_MS).record(amountOf(batch), startMs + batch * STEP_MS);
    // A flush is a batch, and resolves when the spool has it.
    await client.flush();
  }
}

function tagOf(batch: number): string {
  return `batch:${batch}`;
}

function amountOf(batch: number): number {
  return 1000 + batch;
}
