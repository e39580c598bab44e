/** A label as a series has it. */
export interface Label {
  readonly name: string;
  /** The metric, for the label of the name; otherwise the tag, or nothing for a label without a value. */
  readonly text: string;
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly label: Label;
}

/**
 * Labels of the last new series of a body, by their place in it. The series of one target follow each other and have most
 * labels in common, so a comparison of bytes replaces the decoding of their text.
 */
export class RecentLabels {
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #places: Place[] = [];

  /** Begins a body. Labels of other bytes are forgotten. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#places.length = 0;
  }

  /** Returns the label at a place if its bytes are those in [start, end). */
  find(place: number, start: number, end: number): Label | undefined {
    const known = this.#places[place];
    if (known === undefined || known.end - known.start !== end - start) return undefined;
    const bytes = this.#bytes;
    for (let a = known.start, b = start; b < end; a++, b++) if (bytes[a] !== bytes[b]) return undefined;
    return known.label;
  }

  /** Remembers the label at a place, which is one more than there are at most. */
  note(place: number, start: number, end: number, label: Label): void {
    this.#places[place] = { start, end, label };
  }
}
