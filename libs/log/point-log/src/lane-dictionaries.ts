import { grown, grownCapacity } from '@tidemark/columns';
import { SERIES_CLASS } from '@tidemark/model';
import type { BlockRecord, Definitions, SeriesDefinition } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { laneKey } from './lane-tracker.ts';

/** Marks a ref whose definition was in a skipped record. */
export const UNDEFINED_SERIES = 0xffffffff;

/** Series of one dictionary, by ref. */
export interface Dictionary {
  /** Dense numbers, or `UNDEFINED_SERIES`. Entries below `length` are in use. */
  readonly series: Uint32Array;
  readonly length: number;
  /** True when some refs below `length` are undefined. */
  readonly hasGaps: boolean;
  /** True when some series are distributions; `hasNumbers`, when some are not. */
  readonly hasSketches: boolean;
  readonly hasNumbers: boolean;
}

type OwnDictionary = { -readonly [K in keyof Dictionary]: Dictionary[K] };

/** Definitions that the next commit saves. */
export interface DefinitionDelta {
  readonly lane: string;
  readonly epoch: number;
  readonly dictionary: number;
  readonly firstRef: number;
  readonly series: Uint32Array;
}

/** Dictionaries of one epoch of a lane, by number. */
interface Lane {
  readonly epoch: number;
  readonly byNumber: Map<number, OwnDictionary>;
}

const NONE: ReadonlyMap<number, Dictionary> = new Map();
const EMPTY: Dictionary = {
  series: new Uint32Array(0),
  length: 0,
  hasGaps: false,
  hasSketches: false,
  hasNumbers: false,
};

/**
 * Dictionaries of the live epoch of each lane. They map (dictionary, ref) to a dense series number, through an array.
 */
export class LaneDictionaries {
  readonly #lanes = new Map<string, Lane>();
  #deltas: DefinitionDelta[] = [];
  /** Lanes with saved dictionaries of an ended epoch. */
  #stale = new Set<string>();

  /**
   * Checks that the block's definitions continue where their dictionaries end, or above it when a gap may have removed
   * those between. Throws `data_loss`. Returns the number of refs of each dictionary after the block. Changes nothing.
   */
  check(record: BlockRecord, mayHaveGaps: boolean): ReadonlyMap<number, number> {
    const lane = this.#lanes.get(laneKey(record.session, record.lane));
    if (lane !== undefined && record.epoch < lane.epoch) {
      throw new TidemarkError('data_loss', `epoch ${record.epoch} after epoch ${lane.epoch} of the same lane`);
    }
    const sizes = new Map<number, number>();
    for (const [number, { length }] of this.of(record)) sizes.set(number, length);
    for (const { dictionary, firstRef, series } of record.definitions) {
      const size = sizes.get(dictionary) ?? 0;
      if (firstRef !== size && !(mayHaveGaps && firstRef > size)) {
        throw new TidemarkError(
          'data_loss',
          `dictionary ${dictionary} continues at ref ${firstRef}, but ${size} refs are defined`,
        );
      }
      sizes.set(dictionary, firstRef + series.length);
    }
    return sizes;
  }

  get sizeBytes(): number {
    let bytes = 0;
    for (const { byNumber } of this.#lanes.values()) {
      for (const { series } of byNumber.values()) bytes += series.byteLength;
    }
    return bytes;
  }

  /** Returns the dictionaries of the record's lane and epoch, by number. */
  of(record: BlockRecord): ReadonlyMap<number, Dictionary> {
    const lane = this.#lanes.get(laneKey(record.session, record.lane));
    return lane !== undefined && lane.epoch === record.epoch ? lane.byNumber : NONE;
  }

  /** Adds the block's definitions. `denseOf` returns the dense number of a series. */
  define(record: BlockRecord, denseOf: (series: SeriesDefinition) => number): void {
    if (record.definitions.length === 0) return;
    const key = laneKey(record.session, record.lane);
    const { byNumber } = this.#begin(key, record.epoch);
    for (const definitions of record.definitions) {
      const series = Uint32Array.from(definitions.series, denseOf);
      put(byNumber, definitions.dictionary, definitions.firstRef, series, classesOf(definitions));
      const { dictionary, firstRef } = definitions;
      this.#deltas.push({ lane: key, epoch: record.epoch, dictionary, firstRef, series });
    }
  }

  /** Restores saved definitions. `isSketch` returns true for a distribution. */
  restore({ lane, epoch, dictionary, firstRef, series }: DefinitionDelta, isSketch: (series: number) => boolean): void {
    let entry = this.#lanes.get(lane);
    if (entry === undefined || entry.epoch < epoch) {
      entry = { epoch, byNumber: new Map() };
      this.#lanes.set(lane, entry);
    }
    if (entry.epoch > epoch) return;
    const hasSketches = series.some(isSketch);
    const hasNumbers = series.some((one) => !isSketch(one));
    put(entry.byNumber, dictionary, firstRef, series, { hasSketches, hasNumbers });
  }

  /** Drops the dictionaries of a lane, together with the lane's state. */
  drop(lane: string): void {
    if (!this.#lanes.delete(lane)) return;
    this.#stale.add(lane);
    this.#deltas = this.#deltas.filter((delta) => delta.lane !== lane);
  }

  /** Changes to save: lanes whose older dictionaries must be deleted, then definitions to add. */
  get changes(): { readonly stale: ReadonlySet<string>; readonly deltas: readonly DefinitionDelta[] } {
    return { stale: this.#stale, deltas: this.#deltas };
  }

  /** Clears the changes after they were saved. */
  saved(): void {
    this.#stale = new Set();
    this.#deltas = [];
  }

  #begin(key: string, epoch: number): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined || lane.epoch !== epoch) {
      if (lane !== undefined) this.drop(key);
      lane = { epoch, byNumber: new Map() };
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

/** Returns a dictionary, or an empty one when there is none. */
export function dictionaryOf(dictionaries: ReadonlyMap<number, Dictionary>, number: number): Dictionary {
  return dictionaries.get(number) ?? EMPTY;
}

function classesOf({ series }: Definitions): { hasSketches: boolean; hasNumbers: boolean } {
  let hasSketches = false;
  let hasNumbers = false;
  for (const { seriesClass } of series) {
    if (seriesClass === SERIES_CLASS.distribution) hasSketches = true;
    else hasNumbers = true;
  }
  return { hasSketches, hasNumbers };
}

function put(
  byNumber: Map<number, OwnDictionary>,
  number: number,
  firstRef: number,
  dense: Uint32Array,
  classes: { readonly hasSketches: boolean; readonly hasNumbers: boolean },
): void {
  let dictionary = byNumber.get(number);
  if (dictionary === undefined) {
    dictionary = { ...EMPTY };
    byNumber.set(number, dictionary);
  }
  const length = firstRef + dense.length;
  if (length > dictionary.series.length) {
    const capacity = grownCapacity(length, dictionary.series.length);
    dictionary.series = grown(dictionary.series, new Uint32Array(capacity), dictionary.length);
  }
  if (firstRef > dictionary.length) {
    dictionary.series.fill(UNDEFINED_SERIES, dictionary.length, firstRef);
    dictionary.hasGaps = true;
  }
  dictionary.series.set(dense, firstRef);
  dictionary.length = Math.max(dictionary.length, length);
  dictionary.hasSketches ||= classes.hasSketches;
  dictionary.hasNumbers ||= classes.hasNumbers;
}
