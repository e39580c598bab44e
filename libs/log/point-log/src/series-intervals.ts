import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { NOTHING_STATED, type StatedIntervals } from '@tidemark/model';

/** Statements of a series whose interval has changed. */
interface Changes {
  /** Never changed: queries that read it continue while more is stated. */
  readonly stated: StatedIntervals;
  /** By statement, the moment at which it was made; 0 for those that came with the series or were loaded. */
  readonly moments: readonly number[];
}

const INITIAL_SERIES = 1024;
/** Changes that are kept per series; later ones of a sender that cannot make up its mind are ignored. */
const MAX_CHANGES = 64;

/**
 * Reporting intervals that the senders of a partition's series have stated, by dense number. Nearly all series keep
 * their first one. A function of the log's prefix.
 */
export class SeriesIntervals {
  /** The interval that was stated last, ms; 0 where none was. */
  #currentMs = new Uint32Array(INITIAL_SERIES);
  /** All statements of the series whose interval has changed. */
  readonly #changed = new Map<number, Changes>();
  /** What a series says that never changed it, by interval. */
  readonly #constant = new Map<number, StatedIntervals>([[0, NOTHING_STATED]]);
  /** Series with statements that were not saved. */
  readonly #unsaved = new Set<number>();
  #moment = 0;

  /** A definition of a series states an interval for points from `sinceMs` on; 0 states none. */
  state(dense: number, intervalMs: number, sinceMs: number, isNew: boolean): void {
    if (dense >= this.#currentMs.length) this.#grow(dense);
    const current = this.#currentMs[dense];
    if (intervalMs === current || intervalMs === 0) return;
    if (!isNew) {
      const before = this.of(dense);
      if (before.sinceMs.length >= MAX_CHANGES) return;
      const moments = this.#changed.get(dense)?.moments ?? before.sinceMs.map(() => 0);
      const ownMs = Math.max(sinceMs, (before.sinceMs.at(-1) ?? Number.NEGATIVE_INFINITY) + 1);
      const stated = { sinceMs: [...before.sinceMs, ownMs], intervalsMs: [...before.intervalsMs, intervalMs] };
      this.#changed.set(dense, { stated, moments: [...moments, ++this.#moment] });
    }
    this.#currentMs[dense] = intervalMs;
    this.#unsaved.add(dense);
  }

  /** What was stated for a series. */
  of(dense: number): StatedIntervals {
    const changed = this.#changed.get(dense);
    if (changed !== undefined) return changed.stated;
    return this.#constantOf(this.#currentMs[dense] ?? 0);
  }

  /** How often a series that was known has changed its interval. */
  get moment(): number {
    return this.#moment;
  }

  /** What was stated until `moment` for a series that was known then. */
  asOf(dense: number, moment: number): StatedIntervals {
    const changed = this.#changed.get(dense);
    if (changed === undefined) return this.of(dense);
    const { stated, moments } = changed;
    let count = moments.length;
    while (count > 0 && moments[count - 1] > moment) count--;
    if (count === moments.length) return stated;
    if (count === 0) return NOTHING_STATED;
    const { sinceMs, intervalsMs } = stated;
    if (count === 1 && sinceMs[0] === Number.NEGATIVE_INFINITY) return this.#constantOf(intervalsMs[0]);
    return { sinceMs: sinceMs.slice(0, count), intervalsMs: intervalsMs.slice(0, count) };
  }

  #constantOf(intervalMs: number): StatedIntervals {
    let constant = this.#constant.get(intervalMs);
    if (constant === undefined) {
      constant = { sinceMs: [Number.NEGATIVE_INFINITY], intervalsMs: [intervalMs] };
      this.#constant.set(intervalMs, constant);
    }
    return constant;
  }

  /** Series whose statements have changed since `saved`, each with its packed form. */
  *changes(): Generator<readonly [dense: number, packed: Buffer]> {
    for (const dense of this.#unsaved) yield [dense, pack(this.of(dense))];
  }

  /** What was stated for the first `length` series, where anything was, each in its packed form. */
  *statements(length: number): Generator<readonly [dense: number, packed: Buffer]> {
    const end = Math.min(length, this.#currentMs.length);
    for (let dense = 0; dense < end; dense++) if (this.#currentMs[dense] !== 0) yield [dense, pack(this.of(dense))];
  }

  saved(): void {
    this.#unsaved.clear();
  }

  /** Takes over what `changes` gave. Errors: `data_loss` for damaged bytes. */
  load(dense: number, bytes: Uint8Array): void {
    if (dense >= this.#currentMs.length) this.#grow(dense);
    const reader = new ByteReader(bytes, 'intervals');
    const count = reader.varint();
    if (count === 0 || count > MAX_CHANGES) reader.fail(`${count} intervals`);
    const sinceMs: number[] = [];
    const intervalsMs: number[] = [];
    for (let i = 0; i < count; i++) {
      sinceMs.push(reader.f64());
      intervalsMs.push(reader.varint());
    }
    this.#currentMs[dense] = intervalsMs[count - 1];
    if (count > 1 || sinceMs[0] !== Number.NEGATIVE_INFINITY) {
      this.#changed.set(dense, { stated: { sinceMs, intervalsMs }, moments: sinceMs.map(() => 0) });
    }
  }

  #grow(dense: number): void {
    const grown = new Uint32Array(Math.max(dense + 1, this.#currentMs.length * 2));
    grown.set(this.#currentMs);
    this.#currentMs = grown;
  }
}

function pack({ sinceMs, intervalsMs }: StatedIntervals): Buffer {
  const out = new ByteWriter(32);
  out.varint(sinceMs.length);
  for (let i = 0; i < sinceMs.length; i++) {
    out.f64(sinceMs[i]);
    out.varint(intervalsMs[i]);
  }
  return out.take();
}
