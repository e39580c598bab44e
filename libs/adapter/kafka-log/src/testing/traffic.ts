import { type Clock, isTidemarkError, type Log, sleep, type Topic } from '@tidemark/ports';

const READ_BYTES = 256 * 1024;
const RETRY_MS = 50;
/** Pause between the appends of one writer: brokers under test need CPU time as well. */
const PAUSE_MS = 3;

interface WriterRecord {
  readonly writer: number;
  readonly sequence: number;
  readonly offset: number;
}

/** Writers that repeat until the outcome is known, and readers that retry, while a test breaks the cluster. */
export class Traffic {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #topic: Topic;
  readonly #partitions: number;
  readonly #valueBytes: number;
  readonly #acknowledged: WriterRecord[][] = [];
  readonly #seen: WriterRecord[][] = [];
  readonly #starts: number[] = [];
  /** Count of each code of the errors that reached the callers. */
  readonly errors = new Map<string, number>();
  #work: Promise<unknown> = Promise.resolve();
  #isStopping = false;
  #areWritersDone = false;

  private constructor(log: Log, clock: Clock, topic: Topic, partitions: number, valueBytes: number) {
    this.#log = log;
    this.#clock = clock;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#valueBytes = valueBytes;
  }

  /** Starts two writers and one reader for each partition. */
  static async start(
    log: Log,
    clock: Clock,
    { topic = 'points' as Topic, partitions = 3, valueBytes = 2000 } = {},
  ): Promise<Traffic> {
    const traffic = new Traffic(log, clock, topic, partitions, valueBytes);
    for (let partition = 0; partition < partitions; partition++) {
      traffic.#starts.push((await log.bounds(topic, partition)).next);
      traffic.#acknowledged.push([]);
      traffic.#seen.push([]);
    }
    const writers = Array.from({ length: 2 * partitions }, (_, writer) => traffic.#write(writer));
    const done = Promise.all(writers).then(() => {
      traffic.#areWritersDone = true;
    });
    const readers = traffic.#starts.map((from, partition) => traffic.#read(partition, from));
    traffic.#work = Promise.all([done, ...readers]);
    traffic.#work.catch(() => undefined);
    return traffic;
  }

  /** Resolves once each partition has acknowledged `count` further records. */
  async progress(count: number, deadlineMs = 90_000): Promise<void> {
    const before = this.#acknowledged.map((records) => records.length);
    const untilMs = this.#clock.monotonicMs() + deadlineMs;
    const isDone = () => this.#acknowledged.every((records, partition) => records.length >= before[partition] + count);
    while (!isDone()) {
      await Promise.race([this.#work, sleep(this.#clock, RETRY_MS)]);
      if (this.#clock.monotonicMs() < untilMs) continue;
      const counts = this.#acknowledged.map((records, partition) => records.length - before[partition]);
      const errors = [...this.errors].map(([text, times]) => `${times} × ${text}`);
      throw new Error(`appended in ${deadlineMs} ms: ${counts.join(', ')}; errors:\n${errors.join('\n')}`);
    }
  }

  /** Ends the traffic and counts lost, doubled and reordered records: all counts must be 0. */
  async finish() {
    this.#isStopping = true;
    await this.#work;
    let lost = 0;
    let doubled = 0;
    let outOfOrder = 0;
    let misplaced = 0;
    for (let partition = 0; partition < this.#partitions; partition++) {
      const times = new Map<string, number>();
      const last = new Map<number, number>();
      for (const { writer, sequence } of this.#seen[partition]) {
        const name = `${writer}/${sequence}`;
        times.set(name, (times.get(name) ?? 0) + 1);
        if (sequence !== (last.get(writer) ?? -1) + 1) outOfOrder++;
        last.set(writer, sequence);
      }
      const offsets = new Map(this.#seen[partition].map((one) => [`${one.writer}/${one.sequence}`, one.offset]));
      for (const { writer, sequence, offset } of this.#acknowledged[partition]) {
        const name = `${writer}/${sequence}`;
        if (!times.has(name)) lost++;
        else if (offsets.get(name) !== offset) misplaced++;
      }
      for (const count of times.values()) doubled += count - 1;
    }
    return { lost, doubled, outOfOrder, misplaced };
  }

  get acknowledged(): number {
    return this.#acknowledged.reduce((sum, records) => sum + records.length, 0);
  }

  async #write(writer: number): Promise<void> {
    const partition = writer % this.#partitions;
    const producer = await this.#again(() => this.#log.writer(this.#topic, partition));
    for (let sequence = 0; !this.#isStopping; sequence++) {
      const value = Buffer.alloc(this.#valueBytes, sequence & 0xff);
      value.writeUInt32LE(writer, 0);
      value.writeUInt32LE(sequence, 4);
      const { offset } = await this.#again(() => producer.append(sequence, value));
      this.#acknowledged[partition].push({ writer, sequence, offset });
      await sleep(this.#clock, PAUSE_MS);
    }
  }

  async #read(partition: number, from: number): Promise<void> {
    for (let offset = from; ; ) {
      const isLast = this.#areWritersDone;
      const records = await this.#again(() =>
        this.#log.read(this.#topic, partition, offset, { maxBytes: READ_BYTES, waitMs: 200 }),
      );
      for (const record of records) {
        if (record.offset !== offset) throw new Error(`read ${record.offset} where ${offset} comes next`);
        const value = Buffer.from(record.value);
        this.#seen[partition].push({ writer: value.readUInt32LE(0), sequence: value.readUInt32LE(4), offset });
        offset++;
      }
      if (isLast && records.length === 0) {
        const { next } = await this.#again(() => this.#log.bounds(this.#topic, partition));
        if (offset >= next) return;
      }
    }
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const again = ['unavailable', 'deadline_exceeded', 'not_found', 'resource_exhausted'] as const;
        if (!again.some((code) => isTidemarkError(error, code))) throw error;
        const text = error instanceof Error ? error.message : '';
        this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
        await sleep(this.#clock, RETRY_MS);
      }
    }
  }
}
