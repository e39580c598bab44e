import { type LabelMemory, LabelTable, UNKNOWN } from '@tidemark/series-memory';
import { KnownNames } from './known-names.ts';
import { NameBytes } from './name-bytes.ts';
import type { PointSink } from './point-sink.ts';
import type { SeriesDraft } from './series-draft.ts';

/**
 * Series that a tenant's senders have sent: those of agents by the bytes that name them, those of JSON by their names.
 * An agent sends the same series every few seconds, mostly in the same order, so a comparison of bytes replaces the
 * decoding of names. The handles are those of one scope of the intake, so this object lives as long as that scope.
 */
export class KnownSeries {
  /** The name that was searched last. */
  readonly name = new NameBytes();
  readonly names: KnownNames;
  readonly #table: LabelTable;

  /** Stores names in `memory`, and up to `namesBytes` of names of JSON. */
  constructor(memory: LabelMemory, namesBytes: number) {
    this.#table = new LabelTable(memory);
    this.names = new KnownNames(namesBytes);
  }

  get size(): number {
    return this.#table.size;
  }

  clear(): void {
    this.#table.clear();
    this.names.clear();
  }

  /** Releases the memory. The object must not be used afterwards. */
  leave(): void {
    this.#table.leave();
    this.names.clear();
  }

  /** Begins a payload. */
  begin(): void {
    this.#table.begin();
  }

  /**
   * Returns the entry that followed the last time, if its name is at `at` and ends before `end`; otherwise `UNKNOWN`.
   */
  expect(view: DataView, at: number, end: number): number {
    const { expected } = this.#table;
    if (expected === UNKNOWN || this.name.isGathered || at + this.nameBytes(expected) >= end) return UNKNOWN;
    return this.#table.matches(expected, view, at) ? expected : UNKNOWN;
  }

  /** Returns the entry of a name, or `UNKNOWN`. */
  find({ view, at, length }: NameBytes): number {
    return length === 0 ? UNKNOWN : this.#table.find(view, at, length);
  }

  nameBytes(entry: number): number {
    return this.#table.labelBytes(entry);
  }

  /** Passes on the points of a known series. */
  emit(draft: SeriesDraft, entry: number): void {
    draft.endAs(this.#table.handle(entry), this.#table.scale(entry));
    this.#table.record(entry);
  }

  /** Adds a series that was not found by its `name`, if the sink accepts it. */
  add({ handle, scale }: SeriesDraft, sink: PointSink): void {
    const { view, at, length } = this.name;
    const isKept = length > 0 && handle !== undefined && !sink.isRefused(handle);
    // The handle alone is not enough: a count and a rate may be one series.
    this.#table.record(isKept ? this.#table.add(view, at, length, handle, scale) : UNKNOWN);
  }
}
