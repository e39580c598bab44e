import { decodeShare, PointColumns, type ShareSummary, SketchColumns } from '@tidemark/columns';
import { type Dictionary, dictionaryOf, UNDEFINED_SERIES } from '@tidemark/point-log';
import type { BlockRecord, Span } from '@tidemark/point-records';
import type { PartitionStore } from './state/partition-state.ts';

/** Applies checked blocks to a partition. */
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

  /** Applies a block; `summaries` are those of its shares, in order. */
  apply(record: BlockRecord, summaries: readonly ShareSummary[]): void {
    const { coverage, tracker, dictionaries } = this.#store;
    coverage.add(record.tagsOffset, tracker.watermarkMs);
    this.#store.define(record);
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
    head.append(span.mapEpoch, dictionary.series, points);
    for (let i = 0; i < sketches.length; i++) {
      const payload = Uint8Array.from(sketches.payloads[i]);
      head.appendSketch(span.mapEpoch, dictionary.series[sketches.refs[i]], sketches.timesMs[i], payload);
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

  /** Drops points whose series was defined only in a skipped record, and counts them as part of the gap. */
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
}
