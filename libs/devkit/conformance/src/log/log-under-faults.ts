import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { isTidemarkError, type Log, type LogRecord, sleep } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { testSeed } from '../test-seed.ts';
import { type MakeCluster, nameOf, readAll, settle, TOPIC, valueNamed } from './cluster.ts';
import { faultyLog, LOG_FAULTS, type LogFaultPlan } from './faulty-log.ts';

const PLAN: LogFaultPlan = { delay: 0.2, maxDelayMs: 1, dropReply: 0.1, duplicate: 0.15, refuse: 0.1, full: 0.1 };
const WRITERS = 6;
const APPENDS = 40;

/** Registers the cases of a log whose requests fail: writers that retry get each record stored once, in order. */
export function logUnderFaults(name: string, makeCluster: MakeCluster): void {
  describe(`log conformance: ${name}, behind faults`, () => {
    const seed = testSeed();

    test(`stores the records of retrying writers once and in order (TIDEMARK_TEST_SEED=${seed})`, async () => {
      const cluster = await makeCluster();
      try {
        const clock = new SystemClock();
        const faulty = faultyLog(cluster.log, { random: new SeededRandom(seed), clock, plan: PLAN });
        const offsets = await Promise.all(
          Array.from({ length: WRITERS }, async (_, w) => {
            const partition = w % 2;
            const writer = await faulty.writer(TOPIC, partition);
            const appended: number[] = [];
            for (let sequence = 0; sequence < APPENDS; sequence++) {
              appended.push((await settle(writer, sequence, valueNamed(w, sequence), () => sleep(clock, 1))).offset);
            }
            return appended;
          }),
        );
        await expectOnce(cluster.log, offsets);
        await expectOnce(await cluster.restart(), offsets);
        for (const fault of LOG_FAULTS) expect([fault, faulty.fired[fault]]).not.toEqual([fault, 0]);
      } finally {
        await cluster.close();
      }
    });

    test(`a reader that retries misses and repeats no record (TIDEMARK_TEST_SEED=${seed})`, async () => {
      const cluster = await makeCluster();
      try {
        const clock = new SystemClock();
        const faulty = faultyLog(cluster.log, { random: new SeededRandom(seed + 1), clock, plan: PLAN });
        const reading = follow(faulty, APPENDS);
        const writer = await cluster.log.writer(TOPIC, 0);
        for (let sequence = 0; sequence < APPENDS; sequence++) await writer.append(sequence, valueNamed(0, sequence));
        const seen = await reading;
        expect(seen.map((record) => nameOf(record.value).sequence)).toEqual(
          Array.from({ length: APPENDS }, (_, i) => i),
        );
      } finally {
        await cluster.close();
      }
    });
  });
}

async function follow(log: Log, count: number): Promise<LogRecord[]> {
  const seen: LogRecord[] = [];
  while (seen.length < count) {
    try {
      seen.push(...(await log.read(TOPIC, 0, seen.length, { maxBytes: 200, waitMs: 100 })));
    } catch (error) {
      if (!isTidemarkError(error, 'unavailable')) throw error;
    }
  }
  return seen;
}

/** Expects each writer's records once, in its order, at the acknowledged offsets. */
async function expectOnce(log: Log, offsets: readonly (readonly number[])[]): Promise<void> {
  for (const partition of [0, 1]) {
    const records = await readAll(log, partition);
    const found = offsets.map((): number[] => []);
    for (const record of records) {
      const { writer, sequence } = nameOf(record.value);
      expect(sequence).toBe(found[writer].length);
      found[writer].push(record.offset);
    }
    offsets.forEach((acknowledged, w) => {
      if (w % 2 === partition) expect(found[w]).toEqual(acknowledged);
    });
  }
}
