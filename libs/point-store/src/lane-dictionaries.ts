import type { BlockRecord, Definitions } from '@tidemark/block';
import { laneKey } from '@tidemark/lanes';
import { TidemarkError } from '@tidemark/ports';

/** Stands for a ref whose definition was in a record that was skipped. */
export const UNDEFINED_SERIES = 0xffffffff;

/** Series by ref of one dictionary: dense numbers, or `UNDEFINED_SERIES`. */
interface Dictionary {
  series: Uint32Array;
  length: number;
  /** Some refs are undefined. */
  hasGaps: boolean;
}

/** Definitions to save with the next commit. */
export interface DefinitionDelta {
  readonly lane: string;
  readonly epoch: number;
  readonly dictionary: number;
  readonly firstRef: number;
  readonly series: Uint32Array;
}

/** The dictionaries of the live epoch of each lane: (dictionary, ref) → dense series, through an array. */
export class LaneDictionaries {
  readonly #lanes = new Map<string, { epoch: number; readonly byNumber: Map<number, Dictionary> }>();
  #deltas: DefinitionDelta[] = [];
  /** Lanes whose saved dictionaries are of an epoch that is over. */
  #stale = new Set<string>();

  /** Throws `data_loss` when the block's definitions do not go on where the dictionary ends; nothing is changed. */
  check(record: BlockRecord, mayHaveGaps: boolean): void {
    for (const definitions of record.definitions) {
      const length = this.#find(record, definitions.dictionary)?.length ?? 0;
      if (definitions.firstRef === length || (mayHaveGaps && definitions.firstRef > length)) continue;
      throw new TidemarkError(
        'data_loss',
        `dictionary ${definitions.dictionary} goes on at ref ${definitions.firstRef}, ${length} are defined`,
      );
    }
  }

  /** How many refs a dictionary has, counting the block's own definitions. */
  sizeWith(record: BlockRecord, dictionary: number): number {
    let size = this.#find(record, dictionary)?.length ?? 0;
    for (const one of record.definitions) {
      if (one.dictionary === dictionary) size = Math.max(size, one.firstRef + one.series.length);
    }
    return size;
  }

  /** Takes over definitions; `denseOf` numbers the series. */
  define(record: BlockRecord, definitions: Definitions, denseOf: (at: number) => number): void {
    const lane = this.#lane(record);
    let dictionary = lane.byNumber.get(definitions.dictionary);
    if (dictionary === undefined) {
      dictionary = { series: new Uint32Array(definitions.series.length), length: 0, hasGaps: false };
      lane.byNumber.set(definitions.dictionary, dictionary);
    }
    const dense = Uint32Array.from(definitions.series, (_, at) => denseOf(at));
    this.#put(dictionary, definitions.firstRef, dense);
    this.#deltas.push({
      lane: laneKey(record.session, record.lane),
      epoch: record.epoch,
      dictionary: definitions.dictionary,
      firstRef: definitions.firstRef,
      series: dense,
    });
  }

  /** The dictionary's array: at least as many refs as `sizeWith` said. */
  get(record: BlockRecord, dictionary: number): { readonly series: Uint32Array; readonly hasGaps: boolean } {
    return this.#find(record, dictionary) ?? { series: new Uint32Array(0), hasGaps: false };
  }

  /** For loading what was saved. */
  restore({ lane, epoch, dictionary, firstRef, series }: DefinitionDelta): void {
    let entry = this.#lanes.get(lane);
    if (entry === undefined || entry.epoch < epoch) {
      entry = { epoch, byNumber: new Map() };
      this.#lanes.set(lane, entry);
    }
    if (entry.epoch > epoch) return;
    let found = entry.byNumber.get(dictionary);
    if (found === undefined) {
      found = { series: new Uint32Array(series.length), length: 0, hasGaps: false };
      entry.byNumber.set(dictionary, found);
    }
    this.#put(found, firstRef, series);
  }

  /** A lane is forgotten with its state. */
  drop(lane: string): void {
    if (this.#lanes.delete(lane)) this.#stale.add(lane);
  }

  /** What to save: lanes whose older dictionaries go, then definitions to add. */
  get changes(): { readonly stale: ReadonlySet<string>; readonly deltas: readonly DefinitionDelta[] } {
    return { stale: this.#stale, deltas: this.#deltas };
  }

  /** All changes are saved. */
  saved(): void {
    this.#stale = new Set();
    this.#deltas = [];
  }

  #put(dictionary: Dictionary, firstRef: number, dense: Uint32Array): void {
    const length = firstRef + dense.length;
    if (length > dictionary.series.length) {
      const grown = new Uint32Array(Math.max(length, dictionary.series.length * 2));
      grown.set(dictionary.series.subarray(0, dictionary.length));
      dictionary.series = grown;
    }
    if (firstRef > dictionary.length) {
      dictionary.series.fill(UNDEFINED_SERIES, dictionary.length, firstRef);
      dictionary.hasGaps = true;
    }
    dictionary.series.set(dense, firstRef);
    dictionary.length = Math.max(dictionary.length, length);
  }

  #find(record: BlockRecord, dictionary: number): Dictionary | undefined {
    const lane = this.#lanes.get(laneKey(record.session, record.lane));
    return lane !== undefined && lane.epoch === record.epoch ? lane.byNumber.get(dictionary) : undefined;
  }

  #lane(record: BlockRecord): { epoch: number; readonly byNumber: Map<number, Dictionary> } {
    const key = laneKey(record.session, record.lane);
    let lane = this.#lanes.get(key);
    if (lane === undefined || lane.epoch !== record.epoch) {
      if (lane !== undefined) {
        this.#stale.add(key);
        this.#deltas = this.#deltas.filter((delta) => delta.lane !== key);
      }
      lane = { epoch: record.epoch, byNumber: new Map() };
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}
