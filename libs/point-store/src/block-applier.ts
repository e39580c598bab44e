import type { BlockRecord, Span } from '@tidemark/block';
import { decodeShare, inspectShare, PointColumns, type ShareSummary, SketchColumns } from '@tidemark/columns';
import { KIND, type Kind } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { unpackSketch } from '@tidemark/sketch';
import { type Dictionary, dictionaryOf, UNDEFINED_SERIES } from './lane-dictionaries.ts';
import type { PartitionStore } from './partition-state.ts';

/**
 * Applies blocks to a partition: `check` finds all that could be wrong with one, before `apply` changes anything. So a
 * block is applied whole or, with `data_loss`, not at all.
 */
export class BlockApplier {
  readonly #store: PartitionStore;
  /** Lateness bound D of a tenant, ms. */
  readonly #latenessMs: (tenant: string) => number;
  readonly #points = new PointColumns();
  readonly #sketches = new SketchColumns();

  constructor(store: PartitionStore, latenessMs: (tenant: string) => number) {
    this.#store = store;
    this.#latenessMs = latenessMs;
  }

  /** What the block's shares hold, in order. Throws `data_loss` for whatever `apply` could not take. */
  check(record: BlockRecord): ShareSummary[] {
    const { dictionaries, tracker } = this.#store;
    const mayHaveGaps = tracker.mayMissDefinitions(record);
    const sizes = dictionaries.check(record, mayHaveGaps);
    const known = dictionaries.of(record);
    return record.spans.map(({ dictionary, share }) => {
      const summary = inspectShare(share);
      const size = sizes.get(dictionary) ?? 0;
      if (summary.maxRef >= size && !mayHaveGaps) {
        throw new TidemarkError('data_loss', `ref ${summary.maxRef} of dictionary ${dictionary}, ${size} are defined`);
      }
      this.#checkKinds(record, dictionary, dictionaryOf(known, dictionary), share, summary);
      return summary;
    });
  }

  /** Applies a block with what `check` returned. */
  apply(record: BlockRecord, summaries: readonly ShareSummary[]): void {
    const { coverage, tracker, dictionaries, table } = this.#store;
    coverage.add(record.tagsOffset, tracker.watermarkMs);
    dictionaries.define(record, ({ seriesId, metricId, kind }) => table.add(seriesId, metricId, kind));
    const known = dictionaries.of(record);
    record.spans.forEach((span, i) => {
      this.#applySpan(span, dictionaryOf(known, span.dictionary), summaries[i]);
    });
  }

  #applySpan(span: Span, dictionary: Dictionary, summary: ShareSummary): void {
    const { tracker, head, counts } = this.#store;
    const total = summary.points + summary.sketches;
    if (!tracker.isFresh(span, total)) {
      counts.duplicatePoints += total;
      return;
    }
    const points = this.#points;
    const sketches = this.#sketches;
    points.clear();
    sketches.clear();
    decodeShare(span.share, points, sketches);
    if (dictionary.hasGaps || summary.maxRef >= dictionary.length) this.#dropUndefined(dictionary);
    head.append(span.mapEpoch, dictionary.series, points, summary.minTimeMs, summary.maxTimeMs);
    for (let i = 0; i < sketches.length; i++) {
      head.appendSketch({
        mapEpoch: span.mapEpoch,
        series: dictionary.series[sketches.refs[i]],
        timeMs: sketches.timesMs[i],
        payload: Uint8Array.from(sketches.payloads[i]),
      });
    }
    counts.points += points.length + sketches.length;
    if (tracker.isLate(summary.minTimeMs, this.#latenessMs(span.tenant))) this.#countLate(span);
  }

  #countLate(span: Span): void {
    const { tracker, counts } = this.#store;
    const latenessMs = this.#latenessMs(span.tenant);
    let late = 0;
    for (const { timesMs, length } of [this.#points, this.#sketches]) {
      for (let i = 0; i < length; i++) if (tracker.isLate(timesMs[i], latenessMs)) late++;
    }
    counts.latePoints += late;
    tracker.countLate(span, late);
  }

  /** Points whose series was only defined in a skipped record join the gap. */
  #dropUndefined({ series, length }: Dictionary): void {
    const { counts } = this.#store;
    const points = this.#points;
    let kept = 0;
    for (let i = 0; i < points.length; i++) {
      const ref = points.refs[i];
      if (ref >= length || series[ref] === UNDEFINED_SERIES) continue;
      points.refs[kept] = ref;
      points.timesMs[kept] = points.timesMs[i];
      points.values[kept++] = points.values[i];
    }
    counts.undefinedPoints += points.length - kept;
    points.length = kept;
    const sketches = this.#sketches;
    let keptSketches = 0;
    for (let i = 0; i < sketches.length; i++) {
      const ref = sketches.refs[i];
      if (ref >= length || series[ref] === UNDEFINED_SERIES) continue;
      sketches.refs[keptSketches] = ref;
      sketches.timesMs[keptSketches] = sketches.timesMs[i];
      sketches.payloads[keptSketches++] = sketches.payloads[i];
    }
    counts.undefinedPoints += sketches.length - keptSketches;
    sketches.length = keptSketches;
  }

  /** Numbers belong to series that are no distributions, and sound sketches to those that are. */
  #checkKinds(
    record: BlockRecord,
    number: number,
    dictionary: Dictionary,
    share: Uint8Array,
    summary: ShareSummary,
  ): void {
    const own = record.definitions.filter((definitions) => definitions.dictionary === number);
    const hasSketches =
      dictionary.hasSketches || own.some(({ series }) => series.some(({ kind }) => kind === KIND.distribution));
    if (summary.sketches === 0 && !hasSketches) return;
    const kindOf = (ref: number): Kind | undefined => {
      if (ref < dictionary.length) {
        const dense = dictionary.series[ref];
        return dense === UNDEFINED_SERIES ? undefined : this.#store.table.kind(dense);
      }
      return own.map(({ firstRef, series }) => series[ref - firstRef]).find((series) => series !== undefined)?.kind;
    };
    const points = this.#points;
    const sketches = this.#sketches;
    points.clear();
    sketches.clear();
    decodeShare(share, points, sketches);
    for (let i = 0; i < points.length; i++) {
      if (kindOf(points.refs[i]) === KIND.distribution) {
        throw new TidemarkError('data_loss', `a number for ref ${points.refs[i]}, which is a distribution`);
      }
    }
    for (let i = 0; i < sketches.length; i++) {
      const kind = kindOf(sketches.refs[i]);
      if (kind !== undefined && kind !== KIND.distribution) {
        throw new TidemarkError('data_loss', `a sketch for ref ${sketches.refs[i]}, which is no distribution`);
      }
      unpackSketch(sketches.payloads[i]);
    }
  }
}
