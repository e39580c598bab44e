import { PlainConsumer, type PlainPosition } from '../simulation/plain-consumer.ts';
import { kindOf, SeriesNames } from '../simulation/series.ts';
import { type LoadLedger, pointKey } from './load-ledger.ts';
import { HTTP_CLIENT, LATENESS_MS, METRICS, POPULATION, SLOTS } from './settings.ts';

/** The content of the whole log, by a second, plain implementation of its rules. */
export interface LogTruth {
  /** Points that came after the watermark had passed their timestamp and D, by `pointKey`. */
  readonly late: ReadonlySet<string>;
  /** Position of a consumer after each record, by partition. */
  readonly positions: readonly (readonly PlainPosition[])[];
  readonly points: number;
  readonly duplicates: number;
  readonly problems: readonly string[];
}

/**
 * Reads the log from its first record. It finds lanes with missing sequences, marks that decrease, refs without
 * definitions, and points that are late although an intake accepted them within D.
 */
export function readTruth(log: readonly (readonly Uint8Array[])[], ledger: LoadLedger): LogTruth {
  const names = namesOfLoad();
  const late = new Set<string>();
  const seen = new Set<string>();
  const problems: string[] = [];
  const positions: PlainPosition[][] = [];
  let duplicates = 0;
  log.forEach((records, partition) => {
    const plain = new PlainConsumer({ partition, latenessMs: LATENESS_MS, ledger });
    try {
      // The brokers have one clock: no mark is ahead of it.
      for (const record of records) plain.apply(record, Number.POSITIVE_INFINITY);
    } catch (error) {
      problems.push(`the log of points/${partition} at ${plain.offset}: ${String(error)}`);
    }
    for (const { series, timeMs, isLate, batch } of plain.applied) {
      const name = names.get(series);
      const key = name === undefined ? undefined : pointKey(name.metric, name.client, name.slot, timeMs);
      if (key === undefined || !ledger.points.has(key)) {
        problems.push(`the log has a point that no client recorded: ${key ?? series} of batch ${batch}`);
      } else if (seen.has(key)) {
        problems.push(`the log has ${key} twice, once in batch ${batch}`);
      } else {
        seen.add(key);
        if (isLate) late.add(key);
      }
    }
    if (plain.applied.length === 0) problems.push(`nothing came into points/${partition}: it shows nothing`);
    duplicates += plain.positions.at(-1)?.duplicatePoints ?? 0;
    positions.push(plain.positions);
  });
  for (const [key, { isAcked }] of ledger.points) {
    if (isAcked && !seen.has(key)) problems.push(`the log lacks ${key}, which was acknowledged`);
  }
  return { late, positions, points: seen.size, duplicates, problems: firstOf(problems) };
}

const SHOWN = 10;

function firstOf(problems: readonly string[]): string[] {
  if (problems.length <= SHOWN) return [...problems];
  return [...problems.slice(0, SHOWN), `${problems.length} problems of the log in all`];
}

function namesOfLoad(): Map<string, { metric: string; client: string; slot: number }> {
  const names = new SeriesNames();
  const found = new Map<string, { metric: string; client: string; slot: number }>();
  const clients = Array.from({ length: POPULATION.client }, (_, i) => `client-${i + 1}`);
  for (const client of [...clients, HTTP_CLIENT]) {
    for (const { name: metric, kind } of METRICS) {
      for (let slot = 0; slot < SLOTS; slot++) {
        const { id } = names.add(metric, kindOf(kind), [`client:${client}`, `slot:${slot}`]);
        found.set(id, { metric, client, slot });
      }
    }
  }
  return found;
}
