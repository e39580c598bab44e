import { Client, GrpcIntakeConnector } from '@tidemark/client';
import { growHeapsFreely } from '@tidemark/executable';
import { SystemRandom } from '@tidemark/node-runtime';
import { SeriesValues } from '../data/series-values.ts';
import { metricOf, taggedSeries } from '../data/tagged-series.ts';
import { DataClock } from './data-clock.ts';
import type { FromGenerator, GeneratorOptions } from './messages.ts';

/** The client of the whole-path benchmark, a process of its own: 100,000 series, one timestamp a batch, over gRPC. */
growHeapsFreely();
const options = JSON.parse(process.argv[2]) as GeneratorOptions;
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
const series = taggedSeries(options.hosts);
const handles = series.map(({ metric, kind, tags }) => client.series(metric, kind, tags));
const metrics = Uint32Array.from(series, (_, i) => metricOf(i, options.hosts));
const values = new SeriesValues(metrics, options.seed);
// One array for all rounds: hundreds of arrays would load the garbage collector of the generator.
const all = new Float64Array((options.rounds + 1) * handles.length);
const rounds = Array.from({ length: options.rounds + 1 }, (_, round) => {
  const one = all.subarray(round * handles.length, (round + 1) * handles.length);
  for (let i = 0; i < one.length; i++) one[i] = values.next(i);
  return one;
});

await sendRound(0, 1);
send({ type: 'warm' });
await new Promise<void>((resolve) => process.once('message', () => resolve()));

const startMs = performance.now();
const startCpu = process.cpuUsage();
for (let round = 1; round <= options.rounds; round++) await sendRound(round, options.inFlight);
await settled(0);
const cpu = process.cpuUsage(startCpu);
send({
  type: 'sent',
  points: options.rounds * handles.length,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  wallSeconds: (performance.now() - startMs) / 1000,
});
await client.close();
process.disconnect();

async function sendRound(round: number, inFlight: number): Promise<void> {
  await settled((inFlight - 1) * handles.length);
  const acked = client.stats().ackedPoints / handles.length;
  const dataMs = options.startMs + round * options.stepMs;
  clock.advance(dataMs);
  send({ type: 'clock', nowMs: options.startMs + Math.floor(acked) * options.stepMs });
  client.recordColumns(handles, dataMs, rounds[round]);
  client.flush();
}

/** Waits until at most `points` are not acknowledged. */
async function settled(points: number): Promise<void> {
  for (;;) {
    const { pendingPoints } = client.stats();
    if (pendingPoints <= points) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function send(message: FromGenerator): void {
  process.send?.(message);
}
