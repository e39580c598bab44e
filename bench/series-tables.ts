import { IdHash } from '../libs/base/bytes/src/index.ts';
import { hash128 } from '../libs/base/model/src/index.ts';
import { type Measurement, machine, median } from './measurement.ts';

const SERIES = 100_000;
const SEARCHES = 10;
const RUNS = 5;
const SLOTS = 2 ** 18;
/** Share of the table in which a sender places its series: it tries 64 names for each of them. */
const CLOSE_SLOTS = SLOTS / 64;

/** Claim `series-tables`: what a keyed hash costs, and what senders cost who search names that collide without a key. */
export async function seriesTables(): Promise<Measurement[]> {
  const ids = Array.from({ length: SERIES }, (_, i) => Buffer.from(hash128(Buffer.from(`series ${i}`))));
  const close = ids.map((id, i) => {
    const chosen = Buffer.from(id);
    chosen.writeUInt32LE((i * 2_654_435_761) % CLOSE_SLOTS, 0);
    return chosen;
  });
  const keyed = new IdHash(Buffer.alloc(16, 9));
  const firstWord = (id: Buffer): number => id.readUInt32LE(0);
  const hashOf = (id: Buffer): number => keyed.of(id);
  const conditions =
    `${SERIES} series in ${SLOTS} slots, linear probing; median of ${RUNS} runs of ${SEARCHES} searches of each, CPU time; ` +
    `without a key: the first word of the id; chosen: first words within a 64th of the table, inserted once; ${machine()}`;
  const figure = (name: string, value: number, unit: string): Measurement => ({ name, value, unit, conditions });
  return [
    figure('series-tables-find-without-key', searchNs(ids, firstWord), 'ns'),
    figure('series-tables-find-keyed', searchNs(ids, hashOf), 'ns'),
    figure('series-tables-chosen-without-key', insertionMs(close, firstWord), 'ms'),
    figure('series-tables-chosen-keyed', insertionMs(close, hashOf), 'ms'),
  ];
}

type HashOf = (id: Buffer) => number;

/** Ids by open addressing, as all tables of series have them. */
function tableOf(ids: readonly Buffer[], hashOf: HashOf): Int32Array {
  const slots = new Int32Array(SLOTS).fill(-1);
  ids.forEach((id, i) => {
    let slot = hashOf(id) & (SLOTS - 1);
    while (slots[slot] !== -1) slot = (slot + 1) & (SLOTS - 1);
    slots[slot] = i;
  });
  return slots;
}

function searchNs(ids: readonly Buffer[], hashOf: HashOf): number {
  const slots = tableOf(ids, hashOf);
  const runs = Array.from({ length: RUNS }, () =>
    cpuMs(() => {
      for (let i = 0; i < SEARCHES; i++) {
        for (const id of ids) {
          let slot = hashOf(id) & (SLOTS - 1);
          while (!ids[slots[slot]].equals(id)) slot = (slot + 1) & (SLOTS - 1);
        }
      }
    }),
  );
  return (median(runs) * 1e6) / (SEARCHES * ids.length);
}

function insertionMs(ids: readonly Buffer[], hashOf: HashOf): number {
  return median(Array.from({ length: RUNS }, () => cpuMs(() => tableOf(ids, hashOf))));
}

function cpuMs(work: () => void): number {
  const began = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}
