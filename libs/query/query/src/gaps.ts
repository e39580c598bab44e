import { Gap } from '@tidemark/contract';

/** The gaps that the parts of one answer reported, each once. */
export class Gaps {
  readonly #byPlace = new Map<string, Gap>();

  add(gaps: readonly Gap[]): void {
    for (const gap of gaps) this.#byPlace.set(`${gap.topic}/${gap.partition}/${gap.offset}`, Gap.create(gap));
  }

  /** Returns the gaps by topic, partition and offset. */
  sorted(): Gap[] {
    return [...this.#byPlace.values()].sort(
      (a, b) => compareText(a.topic, b.topic) || a.partition - b.partition || a.offset - b.offset,
    );
  }
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
