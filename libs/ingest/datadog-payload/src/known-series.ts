import { type LabelMemory, LabelTable, UNKNOWN } from '@tidemark/series-memory';
import { KnownNames } from './known-names.ts';
import { NameBytes } from './name-bytes.ts';
import type { PointSink } from './point-sink.ts';
import type { SeriesDraft } from './series-draft.ts';

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

  /** Remembers names in `memory`, and up to `namesBytes` of those of JSON. */
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

  /** A payload begins. */
  begin(): void {
    this.#table.begin();
  }

  /** The entry that came next the last time, if its name stands at `at` and ends before `end`; or `UNKNOWN`. */
  expect(view: DataView, at: number, end: number): number {
    const { expected } = this.#table;
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
    draft.endAs(this.#table.handle(entry), this.#table.scale(entry));
    this.#table.came(entry);
  }

  /** A series came that was not found by its `name`: remembers it, if the sink takes it. */
  isNew({ handle, scale }: SeriesDraft, sink: PointSink): void {
    const { view, at, length } = this.name;
    const isKept = length > 0 && handle !== undefined && !sink.isRefused(handle);
    // Not by the handle alone: a count and a rate may be one series.
    this.#table.came(isKept ? this.#table.add(view, at, length, handle, scale) : UNKNOWN);
  }
}
