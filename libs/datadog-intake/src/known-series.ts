import { LabelTable, UNKNOWN } from '@tidemark/remote-write';
import { KnownNames } from './known-names.ts';
import { NameBytes } from './name-bytes.ts';
import type { PointSink } from './point-sink.ts';
import type { SeriesDraft } from './series-draft.ts';

const INITIAL_ENTRIES = 256;

/**
 * The series that a tenant's agents have sent, by the bytes that name them, and those of JSON, by their texts. An agent
 * sends the same ones every few seconds, mostly in the same order, so that a comparison of bytes replaces making texts of
 * them. Handles are those of one scope of the intake, so this lives as long as that does.
 */
export class KnownSeries {
  /** The name that was looked for last. */
  readonly name = new NameBytes();
  readonly names: KnownNames;
  readonly #table: LabelTable;
  /** What values are multiplied by, by entry: not by handle, as a count and a rate may be one series. */
  #scales = new Float64Array(INITIAL_ENTRIES);
  #last = UNKNOWN;

  /**
   * Remembers up to `limitBytes` of names, and as many of those of JSON. `seed`, 32 random bits, keeps senders from
   * choosing who collides.
   */
  constructor(limitBytes: number, seed: number) {
    this.#table = new LabelTable(limitBytes, seed);
    this.names = new KnownNames(limitBytes);
  }

  get size(): number {
    return this.#table.size;
  }

  /** A payload begins. */
  begin(): void {
    this.#last = UNKNOWN;
  }

  /** The entry that came next the last time, if its name stands at `at` and ends before `end`; or `UNKNOWN`. */
  expect(view: DataView, at: number, end: number): number {
    const expected = this.#last === UNKNOWN ? UNKNOWN : this.#table.next(this.#last);
    if (expected === UNKNOWN || this.name.isGathered || at + this.nameBytes(expected) >= end) return UNKNOWN;
    return this.#table.matches(expected, view, at) ? expected : UNKNOWN;
  }

  /** The entry of a name, or `UNKNOWN`. */
  find({ view, at, length }: NameBytes): number {
    return length === 0 ? UNKNOWN : this.#table.find(view, at, length);
  }

  nameBytes(entry: number): number {
    return this.#table.labelBytes(entry);
  }

  /** A series came that is known: hands its points on. */
  came(draft: SeriesDraft, entry: number): void {
    draft.endAs(this.#table.handle(entry), this.#scales[entry]);
    this.#follow(entry);
  }

  /** A series came that was not found by its `name`: remembers it, if the sink takes it. */
  isNew({ handle, scale }: SeriesDraft, sink: PointSink): void {
    const isKept = this.name.length > 0 && handle !== undefined && !sink.isRefused(handle);
    this.#follow(isKept ? this.#add(handle, scale) : UNKNOWN);
  }

  #add(handle: number, scale: number): number {
    const { view, at, length } = this.name;
    const entry = this.#table.add(view, at, length, handle);
    if (entry === UNKNOWN) return UNKNOWN;
    if (entry >= this.#scales.length) {
      const scales = new Float64Array(this.#scales.length * 2);
      scales.set(this.#scales);
      this.#scales = scales;
    }
    this.#scales[entry] = scale;
    // A full table starts over: what came before is gone.
    if (this.#last >= entry) this.#last = UNKNOWN;
    return entry;
  }

  #follow(entry: number): void {
    if (this.#last !== UNKNOWN && entry !== UNKNOWN) this.#table.follow(this.#last, entry);
    this.#last = entry;
  }
}
