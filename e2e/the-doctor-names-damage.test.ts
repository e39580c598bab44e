import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { evenMap, metricId, partitionOf } from '@tidemark/model';
import { SERIES } from './flip/contents.ts';
import { type MadeFolder, makeFolder } from './flip/make-folder.ts';
import { askDoctor } from './process/ask-doctor.ts';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
/** Makes two folders, or starts a platform and processes of the doctor, on a machine that may be busy. */
const TEST_MS = 150_000;
const WITHIN_MS = 60_000;

type Log = 'trimmed' | 'stopped';
const made = new Map<Log, MadeFolder>();
let parent: string;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tidemark-damage-'));
  for (const log of ['trimmed', 'stopped'] as const) made.set(log, await makeFolder(log, parent));
}, TEST_MS);
afterEach(() => harness.clear());
afterAll(() => rm(parent, { recursive: true, force: true }));

async function unlinkCurrent(folder: string, database: string): Promise<void> {
  await rm(join(folder, database, 'CURRENT'));
}

/** Flips bits of a record in the middle of the first segment of a partition's log. */
async function flipRecord(folder: string, part: string): Promise<void> {
  const [segment] = (await readdir(join(folder, 'log', part))).filter((name) => name.endsWith('.segment')).sort();
  const file = join(folder, 'log', part, segment);
  const bytes = await readFile(file);
  bytes[Math.floor(bytes.length / 2)] ^= 0x55;
  await writeFile(file, bytes);
}

interface Damage {
  readonly log: Log;
  readonly make: (folder: string) => Promise<unknown>;
  readonly means: RegExp;
  readonly next: RegExp;
  /** What a note says of a rebuilt database. */
  readonly note?: RegExp;
}

const NO_ANSWERS = /^queries that need this partition are errors, never smaller answers/;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a database is damaged, and its log was trimmed': {
    log: 'trimmed',
    make: (folder) => unlinkCurrent(folder, 'points/0'),
    means: NO_ANSWERS,
    next: /what the reason says, then restart; a skip has no effect before that/,
  },
  'the folder of a database is gone, and its log was trimmed': {
    log: 'trimmed',
    make: (folder) => rm(join(folder, 'points/0'), { recursive: true }),
    means: NO_ANSWERS,
    next: /restore the folder that the reason names from a copy; only without a copy: .* skip points 0 0 /,
  },
  'a database is damaged, and a record of its log, too': {
    log: 'stopped',
    make: async (folder) => {
      await unlinkCurrent(folder, 'points/0');
      await flipRecord(folder, 'points/0');
    },
    means: /the log, which is damaged, too: queries that need this partition are errors/,
    next: /^keep the folders points\/0\.damaged-\*/,
    note: /keep the folders \*\.damaged-\*/,
  },
  'a database is damaged, and its log is gone': {
    log: 'stopped',
    make: async (folder) => {
      await unlinkCurrent(folder, 'points/0');
      await rm(join(folder, 'log/points/0'), { recursive: true });
    },
    means: NO_ANSWERS,
    next: /what the reason says/,
  },
};

test.each(Object.entries(DAMAGES))(
  'the doctor says what is still right when %s',
  async (_, { log, make, means, next, note }) => {
    const folder = await harness.folder();
    await cp(join(parent, log), folder, { recursive: true });
    await make(folder);
    const from = made.get(log);
    const platform = await harness.platform({ ...from?.settings, folder });
    const halted = await eventually(
      'the doctor to find the halt',
      async () => {
        const { findings } = await askDoctor('--address', platform.grpcAddress);
        const halt = findings.find(({ kind }) => kind === 'partition-halted');
        return halt === undefined ? undefined : { halt, findings };
      },
      WITHIN_MS,
      200,
    );
    expect(halted.halt).toMatchObject({ means: expect.stringMatching(means), next: expect.stringMatching(next) });
    const rebuilt = halted.findings.filter(({ kind }) => kind === 'database-rebuilt');
    expect(rebuilt.map((one) => one.next)).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);

    // That is so: no answer is smaller without an error, and the other partitions answer.
    for (const metric of new Set(SERIES.map((series) => series.metric))) {
      const isDamaged = partitionOf(evenMap(3), metricId('default', metric)) === 0;
      const { errors, series } = await platform.query(`sum:${metric}{*}`, from?.startMs ?? 0, Date.now());
      expect([metric, errors.length, series.length]).toEqual([metric, isDamaged ? 1 : 0, isDamaged ? 0 : 1]);
    }
  },
  TEST_MS,
);
