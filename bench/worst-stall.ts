import { ATTACKS } from '../e2e/attack/attacks.ts';
import { percentile, runAttack } from '../e2e/attack/run-attack.ts';
import { type Measurement, machine } from './measurement.ts';

const MINUTES = 1;

/**
 * Claim `worst-stall`: how long the thread that serves, acknowledges and renews the lease was kept from its work by anything
 * that a stranger can send or query within the limits; and `worst-stall-cpu`, how much of that was its own work, which
 * does not depend on what else runs on the machine.
 */
export async function worstStall(): Promise<Measurement[]> {
  const names = Object.keys(ATTACKS);
  const { stallsMs, stallsCpuMs, sent, refusals, problems } = await runAttack({ minutes: MINUTES, names });
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  if (problems.length > 0) throw new Error(problems.join('; '));
  const conditions =
    `${MINUTES} minute of all attacks at once (${names.join(', ')}) on one process with its defaults, the attackers and a ` +
    `well-behaved tenant on the same cores; the longest of ${stallsMs.length} seconds, by a timer of 10 ms in the main ` +
    `thread; median of seconds ${percentile(stallsMs, 0.5).toFixed(0)} ms; ` +
    `the tenant's sends p99 ${percentile(sent, 0.99).toFixed(0)} ms, ` +
    `refused ${refused}; ${machine()}`;
  return [
    { name: 'worst-stall', value: percentile(stallsMs, 1), unit: 'ms', conditions },
    {
      name: 'worst-stall-cpu',
      value: percentile(stallsCpuMs, 1),
      unit: 'CPU ms of the main thread between two timers',
      conditions,
    },
  ];
}
