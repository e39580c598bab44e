import { type Measurement, machine, median } from './measurement.ts';
import { runWholePath } from './whole-path/run.ts';

const HOSTS = 1000;
const ROUNDS = 300;
const RUNS = 3;

/** Claim `intake`: points that the intake alone accepts and acknowledges from a client process, without stores. */
export async function intake(): Promise<Measurement[]> {
  const rates: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { points, ackedSeconds } = await runWholePath(HOSTS, ROUNDS, { stores: false });
    rates.push(points / ackedSeconds);
  }
  const conditions =
    `${RUNS} runs, median; data and client as whole-path-embedded, ${ROUNDS} rounds; acknowledged means durable in the ` +
    `embedded log (fsync on), no consumer; ${machine()}`;
  return [{ name: 'intake', value: median(rates), unit: 'points/s', conditions }];
}
