import { Bitmap } from '@tidemark/bitmap';
import type { TagFilter } from '@tidemark/contract';
import { type SlicedWork, TidemarkError } from '@tidemark/ports';
import type { Metric } from './metric-table.ts';
import type { TagIndex } from './tag-index.ts';
import { beyond, type TagStoreLimits } from './tag-store-limits.ts';
import { ABSENT } from './typed-list.ts';
import { wildcard } from './wildcard.ts';

/** Values that are tried in one piece, and the cost of a value and of a step, in units of the cost of a point. */
const PIECE = 128;
const VALUE_COST = 32;
const STEP_COST = 64;

/**
 * Evaluates filters over the series of one metric. Each step starts from a universe, the series that may still match,
 * and never reads others: a negation is the universe minus the selection of its operand. Nothing may be added to the universe
 * meanwhile; series and tags may be added to the index.
 */
export class FilterEvaluator {
  readonly #index: TagIndex;
  readonly #metric: Metric;
  readonly #limits: TagStoreLimits;
  #terms = 0;

  constructor(index: TagIndex, metric: Metric, limits: TagStoreLimits) {
    this.#index = index;
    this.#metric = metric;
    this.#limits = limits;
  }

  /** The series of `universe` that the filter selects; may be `universe` itself. Without a filter all are selected. */
  *select(filter: TagFilter | undefined, universe: Bitmap, depth = 1): SlicedWork<Bitmap, number> {
    const step = filter?.filter;
    if (step === undefined) return universe;
    if (depth > this.#limits.filterDepth) {
      throw beyond('filter_depth', this.#limits.filterDepth, 'the filter nests too deeply');
    }
    this.#count(1);
    yield STEP_COST;
    switch (step.$case) {
      case 'tag':
        return this.#tag(step.value, universe);
      case 'pattern':
        return yield* this.#pattern(step.value.key, step.value.pattern, universe);
      case 'in':
        return yield* this.#in(step.value.key, step.value.values, universe);
      case 'not':
        return universe.andNot(yield* this.select(step.value, universe, depth + 1));
      case 'and': {
        let left = universe;
        for (const each of step.value.filters) left = yield* this.select(each, left, depth + 1);
        return left;
      }
      case 'or': {
        const found = new Bitmap();
        for (const each of step.value.filters) found.orInPlace(yield* this.select(each, universe, depth + 1));
        return found;
      }
      default:
        throw new TidemarkError('invalid_argument', 'filter: unknown kind of filter', {
          field: 'filter',
        });
    }
  }

  #count(terms: number): void {
    this.#terms += terms;
    if (this.#terms > this.#limits.filterTerms) {
      throw beyond('filter_terms', this.#limits.filterTerms, `the filter has ${this.#terms} terms or more`);
    }
  }

  #tag(text: string, universe: Bitmap): Bitmap {
    const slot = this.#slot(text);
    return slot === ABSENT ? new Bitmap() : this.#index.postings.within(slot, universe);
  }

  #slot(text: string): number {
    const tag = this.#index.tags.tagId(text);
    return tag === ABSENT ? ABSENT : this.#index.postings.slot(this.#metric.index, tag);
  }

  *#in(key: string, values: readonly string[], universe: Bitmap): SlicedWork<Bitmap, number> {
    this.#count(values.length);
    const found = new Bitmap();
    for (const value of values) {
      // A bare word is a key with an empty value.
      for (const text of value === '' ? [key, `${key}:`] : [`${key}:${value}`]) {
        const slot = this.#slot(text);
        if (slot !== ABSENT) this.#index.postings.collect(slot, universe, found);
      }
      yield STEP_COST;
    }
    return found;
  }

  /** Tries the pattern on each of the metric's values once, or on those of the universe when these are fewer. */
  *#pattern(keyText: string, pattern: string, universe: Bitmap): SlicedWork<Bitmap, number> {
    const { tags, postings } = this.#index;
    const key = tags.keyId(keyText);
    const found = new Bitmap();
    if (key === ABSENT || universe.isEmpty) return found;
    const matches = wildcard(pattern);
    if (postings.valueCount(this.#metric.index, key) > universe.size) return yield* this.#scan(key, matches, universe);
    let tried = 0;
    for (const slot of postings.slotsOf(this.#metric.index, key)) {
      if (matches(tags.valueText(postings.tagOfSlot(slot)))) postings.collect(slot, universe, found);
      if (++tried % PIECE === 0) yield PIECE * VALUE_COST;
    }
    return found;
  }

  /**
   * Selects by a scan of the universe: most values of the metric are dead, so only those of the universe are tested.
   */
  *#scan(key: number, matches: (text: string) => boolean, universe: Bitmap): SlicedWork<Bitmap, number> {
    const { tags, series } = this.#index;
    const found = new Bitmap();
    const known = new Map<number, boolean>();
    let scanned = 0;
    for (const dense of universe.toArray()) {
      if (++scanned % PIECE === 0) yield PIECE * VALUE_COST;
      const keyIds = tags.keyIds.values;
      const end = series.tagStart.values[dense + 1];
      for (let at = series.tagStart.values[dense]; at < end; at++) {
        const tag = series.tags.values[at];
        if (keyIds[tag] !== key) continue;
        let isMatch = known.get(tag);
        if (isMatch === undefined) {
          isMatch = matches(tags.valueText(tag));
          known.set(tag, isMatch);
        }
        if (isMatch) found.add(dense);
      }
    }
    return found;
  }
}
