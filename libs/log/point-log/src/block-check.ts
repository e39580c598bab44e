import { decodeShare, inspectShare, PointColumns, type ShareSummary, SketchColumns } from '@tidemark/columns';
import { SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import type { BlockRecord } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { unpackSketch } from '@tidemark/sketch';
import { type Dictionary, dictionaryOf, type LaneDictionaries, UNDEFINED_SERIES } from './lane-dictionaries.ts';
import type { LaneTracker } from './lane-tracker.ts';

/** State that a block is checked against. */
export interface CheckedState {
  readonly tracker: LaneTracker;
  readonly dictionaries: LaneDictionaries;
  /** Returns the class of a series by its dense number. */
  classOf(dense: number): SeriesClass;
}

/**
 * Checks a whole block before any part of it is applied. A block is thus applied whole or, with `data_loss`, not at
 * all, and all consumers of `points` halt at the same records.
 */
export class BlockCheck {
  readonly #state: CheckedState;
  readonly #points = new PointColumns();
  readonly #sketches = new SketchColumns();

  constructor(state: CheckedState) {
    this.#state = state;
  }

  /** Returns the summaries of the block's shares, in order. Throws `data_loss` for a block that cannot be applied. */
  check(record: BlockRecord): ShareSummary[] {
    const { dictionaries, tracker } = this.#state;
    const mayHaveGaps = tracker.mayMissDefinitions(record);
    const sizes = dictionaries.check(record, mayHaveGaps);
    const known = dictionaries.of(record);
    return record.spans.map(({ dictionary, share }) => {
      const summary = inspectShare(share);
      const size = sizes.get(dictionary) ?? 0;
      if (summary.maxRef >= size && !mayHaveGaps) {
        throw new TidemarkError(
          'data_loss',
          `ref ${summary.maxRef} of dictionary ${dictionary}, but ${size} refs are defined`,
        );
      }
      this.#checkKinds(record, dictionary, dictionaryOf(known, dictionary), share, summary);
      return summary;
    });
  }

  /** Checks that distributions have valid sketches, and all other series numbers. */
  #checkKinds(
    record: BlockRecord,
    number: number,
    dictionary: Dictionary,
    share: Uint8Array,
    summary: ShareSummary,
  ): void {
    const own = record.definitions.filter((definitions) => definitions.dictionary === number);
    const hasSketches =
      dictionary.hasSketches ||
      own.some(({ series }) => series.some(({ seriesClass }) => seriesClass === SERIES_CLASS.distribution));
    if (summary.sketches === 0 && !hasSketches) return;
    const classOf = (ref: number): SeriesClass | undefined => {
      if (ref < dictionary.length) {
        const dense = dictionary.series[ref];
        return dense === UNDEFINED_SERIES ? undefined : this.#state.classOf(dense);
      }
      return own.map(({ firstRef, series }) => series[ref - firstRef]).find((series) => series !== undefined)
        ?.seriesClass;
    };
    const points = this.#points;
    const sketches = this.#sketches;
    points.clear();
    sketches.clear();
    decodeShare(share, points, sketches);
    for (let i = 0; i < points.length; i++) {
      if (classOf(points.refs[i]) === SERIES_CLASS.distribution) {
        throw new TidemarkError('data_loss', `a number for ref ${points.refs[i]}, which is a distribution`);
      }
    }
    for (let i = 0; i < sketches.length; i++) {
      const seriesClass = classOf(sketches.refs[i]);
      if (seriesClass !== undefined && seriesClass !== SERIES_CLASS.distribution) {
        throw new TidemarkError('data_loss', `a sketch for ref ${sketches.refs[i]}, which is not a distribution`);
      }
      unpackSketch(sketches.payloads[i]);
    }
  }
}
