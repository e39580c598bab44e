import { commentLines } from './comment-lines.ts';
import { type Family, roleOf } from './family.ts';

/** What a target says of a metric. */
export interface MetricText {
  /** By the type of its family. */
  readonly kind?: 'gauge' | 'counter';
  readonly unit?: string;
  readonly description?: string;
}

/** Numbers of observations, which the unit of a family is not the unit of. */
const WITHOUT_UNIT: ReadonlySet<string> = new Set(['_bucket', '_count', '_gcount']);

/** What the `# TYPE`, `# UNIT` and `# HELP` lines of one target say of its metrics. exposition-parser.test.ts covers it. */
export class DescribedMetrics {
  readonly #limit: number;
  /** By the name of a family, in the last body. */
  readonly #units = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  /** The families of the metrics that have samples, by name. */
  readonly #metrics = new Map<string, Family | undefined>();
  /** What was said of each metric. */
  readonly #said = new Map<string, string>();

  /** At most `limit` metrics are known at a time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Reads what a body says, wherever it says it; of two lines for one family the first stands. */
  read(body: string, maxCharacters: number, isCut: boolean): void {
    this.#collect(this.#units, 'UNIT', body, maxCharacters, isCut);
    this.#collect(this.#texts, 'HELP', body, maxCharacters, isCut);
  }

  /** Notes a metric that has samples. */
  add(name: string, family: Family | undefined): void {
    if (this.#metrics.size >= this.#limit && !this.#metrics.has(name)) {
      this.#metrics.clear();
      this.#said.clear();
    }
    this.#metrics.set(name, family);
  }

  /** Passes on what the last body says of a metric and an earlier one did not. */
  report(onDescribed: (metric: string, text: MetricText) => void): void {
    for (const [name, family] of this.#metrics) {
      const ofFamily = family?.name ?? name;
      const unit = WITHOUT_UNIT.has(name.slice(ofFamily.length)) ? undefined : this.#units.get(ofFamily);
      const description = this.#texts.get(ofFamily);
      const kind = kindOf(name, family);
      if (kind === undefined && unit === undefined && description === undefined) continue;
      const said = `${kind ?? ''}\n${unit ?? ''}\n${description ?? ''}`;
      if (this.#said.get(name) === said) continue;
      this.#said.set(name, said);
      onDescribed(name, {
        ...(kind === undefined ? {} : { kind }),
        ...(unit === undefined ? {} : { unit }),
        ...(description === undefined ? {} : { description }),
      });
    }
  }

  #collect(
    into: Map<string, string>,
    word: 'UNIT' | 'HELP',
    body: string,
    maxCharacters: number,
    isCut: boolean,
  ): void {
    into.clear();
    for (const { name, text } of commentLines(body, word, maxCharacters, isCut)) {
      if (into.size >= this.#limit) return;
      if (text !== '' && !into.has(name)) into.set(name, text);
    }
  }
}

function kindOf(name: string, family: Family | undefined): 'gauge' | 'counter' | undefined {
  const role = roleOf(name, family);
  return role === 'gauge' || role === 'counter' ? role : undefined;
}
