import { HttpClient } from '../http-client.ts';
import { type Bodies, BodyReader } from './bodies.ts';

/** Options of the sender process. */
export interface SenderOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodies: Bodies;
  readonly rounds: number;
  readonly connections: number;
  /** Number of rounds that are sent first and not timed. */
  readonly warmRounds: number;
}

export type FromSender =
  /** The first rounds are acknowledged. */
  | { readonly type: 'warm' }
  /** All connections are past this round. */
  | { readonly type: 'round'; readonly round: number }
  | {
      readonly type: 'sent';
      readonly retries: number;
      readonly cpuSeconds: number;
      readonly wallSeconds: number;
      /** Time from sending a body to its answer, ms: median and 99th percentile, without retries. */
      readonly p50Ms: number;
      readonly p99Ms: number;
    };

/**
 * Sends bodies over keep-alive connections. Each connection sends its own part of a round's bodies, one at a time, so
 * that the samples of a series arrive in order, as from the shards of Prometheus.
 */
const options: SenderOptions = JSON.parse(process.argv[2]);
const { url, headers, bodies, rounds, connections, warmRounds } = options;
const reader = new BodyReader(bodies);
const client = new HttpClient(connections);
const rounded = new Array<number>(connections).fill(0);
let reportedRound = 0;
/** Because of back-pressure. */
let retries = 0;
/** Time to the answer of each request, ms. */
let latenciesMs: number[] = [];

if (warmRounds > 0) {
  await go();
  await sendRounds(0, warmRounds);
  send({ type: 'warm' });
}
await go();
latenciesMs = [];
const startMs = performance.now();
const startCpu = process.cpuUsage();
await sendRounds(warmRounds, rounds);
const cpu = process.cpuUsage(startCpu);
const wallSeconds = (performance.now() - startMs) / 1000;
latenciesMs.sort((a, b) => a - b);
send({
  type: 'sent',
  retries,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  wallSeconds,
  p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)],
  p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)],
});
client.close();
process.disconnect();

function go(): Promise<void> {
  return new Promise((resolve) => process.once('message', () => resolve()));
}

async function sendRounds(from: number, to: number): Promise<void> {
  await Promise.all(rounded.map((_, connection) => sendAll(connection, from, to)));
}

async function sendAll(connection: number, from: number, to: number): Promise<void> {
  for (let round = from; round < to; round++) {
    for (let body = connection; body < bodies.bodiesPerRound; body += connections) {
      const written = await client.write(url, reader.read(round * bodies.bodiesPerRound + body), headers);
      retries += written.retries;
      latenciesMs.push(written.lastMs);
    }
    rounded[connection] = round + 1;
    const minRound = Math.min(...rounded);
    if (minRound > reportedRound) send({ type: 'round', round: minRound });
    reportedRound = minRound;
  }
}

function send(message: FromSender): void {
  process.send?.(message);
}
