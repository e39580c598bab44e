import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { below, isTidemarkError, sleep } from '@tidemark/ports';
import { addFaultCounts, assertAllFired, type FaultCount, FaultPlan, ProcessCrashed } from '@tidemark/simulation';
import {
  collectSnapshots,
  createSnapshot,
  listSnapshots,
  PIN_MS,
  restoreSnapshot,
  type SnapshotManifest,
  TableDigests,
} from './index.ts';
import { contentOf, ModelDatabase } from './testing/model-database.ts';
import { PREFIX, type SnapshotProcess, SnapshotWorld } from './testing/snapshot-world.ts';

const RUNS = 6;
const RUN_MS = 10 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;
/** Errors of operations that faults, other processes and stops of a day explain. */
const EXPECTED = ['unavailable', 'not_found', 'aborted'] as const;
const seed = testSeed();

type Counts = Record<string, FaultCount>;

/** Two collections, two uploads and two readers at the same time, which are killed and stopped for hours. */
class Interleaving {
  readonly world: SnapshotWorld;
  readonly counts = { created: 0, restored: 0, collected: 0, removed: 0, killed: 0, pinned: 0 };
  /** Contents of the uploads, by their number, which is the state hash of their snapshot. */
  readonly #expected: ReadonlyMap<string, string>[] = [];
  readonly #checked = new Set<string>();
  readonly #exempt = new Set<string>();
  readonly #databases = new Map<string, ModelDatabase>();
  #isOver = false;
  #violation: Error | undefined;

  constructor(runSeed: number) {
    const chances = { 'objects.unavailable': 0.02, 'objects.lost-reply': 0.02, 'objects.slow': 0.005 };
    const faults = (random: SnapshotWorld['random']) => new FaultPlan(random, chances);
    // A slow request takes a day at most, so that pins expire in use.
    this.world = new SnapshotWorld({ seed: runSeed, maxLatencyMs: 900_000, faults });
  }

  async run(): Promise<void> {
    const { world } = this;
    const actors = [
      this.#actor('upload-1', 4, (process, name) => this.#upload(process, name)),
      this.#actor('upload-2', 8, (process, name) => this.#upload(process, name)),
      this.#actor('collection-1', 6, (process) => this.#collect(process)),
      this.#actor('collection-2', 6, (process) => this.#collect(process)),
      this.#actor('reader-1', 4, (process) => this.#read(process)),
      this.#actor('reader-2', 8, (process) => this.#read(process)),
    ];
    let isDone = false;
    const all = Promise.all(actors).finally(() => {
      isDone = true;
    });
    all.catch(() => undefined);
    let checked = 0;
    const check = (): boolean => {
      if (world.objects.changes > checked) this.#checkFiles();
      checked = world.objects.changes;
      return isDone || this.#violation !== undefined;
    };
    world.clock.setTimer(RUN_MS, () => {
      this.#isOver = true;
    });
    await world.clock.run(check, 10 * RUN_MS);
    if (this.#violation !== undefined) throw this.#violation;
    await all;
    world.faults?.stop();
    await this.#checkNothingLeft();
  }

  /** Repeats a task with pauses of up to `pauseHours`, in processes of which some are killed. */
  async #actor(
    name: string,
    pauseHours: number,
    task: (process: SnapshotProcess, name: string) => Promise<void>,
  ): Promise<void> {
    const random = this.world.random.fork(name);
    let process = this.world.start(this.world.newDisk());
    while (!this.#isOver) {
      await sleep(this.world.clock, random.next() * pauseHours * HOUR_MS);
      const { incarnation } = process;
      const kill = random.next() < 0.2;
      if (kill) this.world.clock.setTimer(random.next() * 12 * HOUR_MS, () => incarnation.end());
      try {
        await incarnation.orCrash(task(process, name));
      } catch (error) {
        if (error instanceof ProcessCrashed) this.counts.killed++;
        else if (!EXPECTED.some((code) => isTidemarkError(error, code))) throw error;
      }
      if (!incarnation.alive || kill) {
        incarnation.end();
        process = this.world.start(this.world.newDisk());
      }
    }
  }

  async #upload({ store, disk }: SnapshotProcess, name: string): Promise<void> {
    const database = this.#databaseOf(name);
    database.change();
    const number = this.#expected.push(database.content) - 1;
    const checkpoint = await database.checkpoint(disk, `checkpoint-${number}`);
    // Replicas have different offsets, and the one behind may be the later one.
    const offset = 10 * number + below(this.world.random, 15);
    const stateHashes = [{ bucket: 'upload', hash: String(number) }];
    const facts = { storeFormat: 9, logId: 'log-1', offset, stateHashes };
    await createSnapshot(store, checkpoint, facts, { digests: new TableDigests() });
    this.counts.created++;
  }

  #databaseOf(name: string): ModelDatabase {
    const known = this.#databases.get(name) ?? new ModelDatabase(name, this.world.random.fork(`database ${name}`));
    this.#databases.set(name, known);
    return known;
  }

  async #collect({ store }: SnapshotProcess): Promise<void> {
    const nowMs = this.world.clock.wallMs();
    const found = await collectSnapshots(store, { logId: 'log-1', keep: 2, keepMs: HOUR_MS, nowMs });
    expect(found.blockedBy).toEqual([]);
    this.counts.collected++;
    this.counts.removed += found.removed.length;
    this.counts.pinned += found.pinned.length;
  }

  async #read({ store, disk }: SnapshotProcess): Promise<void> {
    const { snapshots } = await listSnapshots(store);
    if (snapshots.length === 0) return;
    const { id } = snapshots[below(this.world.random, snapshots.length)];
    const folder = `restored-${id}`;
    await disk.remove(folder);
    const manifest = await restoreSnapshot(store, id, { disk, folder });
    expect(await contentOf(disk, folder)).toEqual(this.#expected[Number(manifest.stateHashes[0].hash)]);
    this.counts.restored++;
  }

  /** Each snapshot that is not marked has all of its files, at any time. */
  #checkFiles(): void {
    const marked = new Set(this.world.keys('removed/').map(idIn));
    for (const key of this.world.keys('manifests/')) {
      if (marked.has(idIn(key))) continue;
      const manifest = JSON.parse(Buffer.from(this.world.objects.peek(PREFIX + key) ?? []).toString());
      if (!this.#checked.has(key)) {
        this.#checked.add(key);
        // Made by an upload that had stopped for a day, which marks it at once: no file is promised.
        if (!this.#hasPin(manifest)) this.#exempt.add(key);
      }
      if (this.#exempt.has(key)) continue;
      for (const { name, sha256, upload } of manifest.files) {
        const file = `${PREFIX}files/${sha256}-${upload}.${name.endsWith('.sst') ? 'sst' : 'dat'}`;
        if (this.world.objects.peek(file) !== undefined) continue;
        this.#violation ??= new Error(`${key} lacks ${name}, ${file}`);
      }
    }
  }

  #hasPin({ createdBy }: SnapshotManifest): boolean {
    return this.world.keys('pins/').some((key) => {
      const [pin, renewal] = [key, key.replace('pins', 'renewed')].map((one) => {
        return JSON.parse(Buffer.from(this.world.objects.peek(PREFIX + one) ?? '{}').toString());
      });
      return pin.by === createdBy && renewal.revoked === false;
    });
  }

  async #checkNothingLeft(): Promise<void> {
    const { world } = this;
    await world.clock.advance(PIN_MS + 100 * HOUR_MS);
    const process = world.start(world.newDisk());
    for (let run = 0; run < 2; run++) {
      const options = { logId: 'log-1', keep: 1, keepMs: 0, nowMs: world.clock.wallMs() + 1 };
      await world.run(process, collectSnapshots(process.store, options));
    }
    const { snapshots } = await world.run(process, listSnapshots(process.store));
    expect(snapshots).toHaveLength(1);
    expect(world.keys('manifests/')).toHaveLength(1);
    expect([...world.keys('pins/'), ...world.keys('renewed/'), ...world.keys('removed/')]).toEqual([]);
    const [{ files }] = snapshots;
    const named = new Set(files.map(({ sha256, upload }) => `files/${sha256}-${upload}`));
    const kept = world.keys('files/').map((key) => key.slice(0, -'.sst'.length));
    expect(kept).toEqual([...named].sort());
  }
}

function idIn(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1, -'.json'.length);
}

test(`collections, uploads and readers at the same time lose no file and leave none (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const faults: Counts[] = [];
  const totals: Record<string, number> = {};
  for (let run = 0; run < RUNS; run++) {
    const interleaving = new Interleaving(seed + run);
    try {
      await interleaving.run();
    } catch (error) {
      throw new Error(`seed ${seed + run}: ${(error as Error).message}`, { cause: error });
    }
    faults.push(interleaving.world.faults?.counts() ?? {});
    for (const [name, count] of Object.entries(interleaving.counts)) totals[name] = (totals[name] ?? 0) + count;
  }
  assertAllFired(addFaultCounts(faults));
  for (const [name, count] of Object.entries(totals)) expect([name, count > 0]).toEqual([name, true]);
});
