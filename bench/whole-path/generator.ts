import { Client, GrpcIntakeConnector } from '@tidemark/client';
import { growHeapsFreely } from '@tidemark/executable';
import { SystemRandom } from '@tidemark/node-runtime';
import { DataClock } from './data-clock.ts';
import { InStepLoad, type Load } from './in-step-load.ts';
import type { FromGenerator, GeneratorOptions } from './messages.ts';
import { ScrapeLoad } from './scrape-load.ts';

/** The client of the whole-path benchmark, a process of its own: 100,000 series, one round a batch, over gRPC. */
growHeapsFreely();
const options = JSON.parse(process.argv[2]) as GeneratorOptions;
/** Longer than any run. */
const FLUSH_MS = 3_600_000;
const clock = new DataClock(options.startMs);
const client = await Client.open(
  {
    connector: new GrpcIntakeConnector({}),
    addresses: [`127.0.0.1:${options.port}`],
    clock,
    random: new SystemRandom(),
    disk: undefined,
  },
  { name: 'bench', flushIntervalMs: 0, memoryBytes: 512 * 1024 * 1024, frontierLagMs: 3_600_000 },
);
const load: Load = options.shape.phases ? new ScrapeLoad(client, options) : new InStepLoad(client, options);
/** Points of all rounds so far, by round. */
const recorded: number[] = [];
/** Rounds whose points are acknowledged, with all before. */
let ackedRounds = 0;

await sendRound(0, 1);
send({ type: 'warm' });
await new Promise<void>((resolve) => process.once('message', () => resolve()));

const startMs = performance.now();
const startCpu = process.cpuUsage();
for (let round = 1; round <= options.rounds; round++) {
  const atMs = startMs + round * (options.paceMs ?? 0);
  await until(() => performance.now() >= atMs);
  await sendRound(round, options.inFlight);
}
await until(() => ackedRounds > options.rounds);
const points = recorded[options.rounds] - recorded[0];
const cpu = process.cpuUsage(startCpu);
const { ackedPoints } = client.stats();
if (ackedPoints !== recorded[options.rounds])
  throw new Error(`points were not accepted: ${JSON.stringify(client.stats())}`);
send({
  type: 'sent',
  points,
  latePoints: load.latePoints,
  newSeries: load.newSeries,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  wallSeconds: (performance.now() - startMs) / 1000,
});
await client.close();
process.disconnect();

async function sendRound(round: number, inFlight: number): Promise<void> {
  await until(() => round - ackedRounds < inFlight);
  clock.advance(options.startMs + round * options.stepMs);
  send({ type: 'clock', nowMs: options.startMs + ackedRounds * options.stepMs });
  recorded.push((recorded[round - 1] ?? 0) + load.record(round));
  void client.flush({ timeoutMs: FLUSH_MS }).then(() => {
    ackedRounds = Math.max(ackedRounds, round + 1);
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}

function send(message: FromGenerator): void {
  process.send?.(message);
}
