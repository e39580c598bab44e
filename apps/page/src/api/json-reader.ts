/** Reads a JSON object of unknown shape. A field that is missing or has another type gets its default. */
export class JsonReader {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(json: unknown) {
    this.#fields = isObject(json) ? json : {};
  }

  #field(name: string): unknown {
    const value = this.#fields[name];
    if (value !== undefined) return value;
    // protobuf's JSON may have either spelling.
    return this.#fields[name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
  }

  text(name: string): string {
    const value = this.#field(name);
    return typeof value === 'string' ? value : '';
  }

  /** Reads a number, or a 64-bit integer that protobuf's JSON writes as a string. */
  number(name: string): number {
    return this.numberIfKnown(name) ?? 0;
  }

  numberIfKnown(name: string): number | undefined {
    const value = this.#field(name);
    if (value === null || value === undefined || value === '') return undefined;
    const number = Number(value);
    return typeof value === 'boolean' || !Number.isFinite(number) ? undefined : number;
  }

  flag(name: string): boolean {
    return this.#field(name) === true;
  }

  list(name: string): readonly unknown[] {
    const value = this.#field(name);
    return Array.isArray(value) ? value : [];
  }

  texts(name: string): readonly string[] {
    return this.list(name).filter((value) => typeof value === 'string');
  }

  objects(name: string): readonly JsonReader[] {
    return this.list(name).map((value) => new JsonReader(value));
  }

  object(name: string): JsonReader {
    return new JsonReader(this.#field(name));
  }

  /** Reads an object of texts by name. */
  textsByName(name: string): Readonly<Record<string, string>> {
    const value = this.#field(name);
    if (!isObject(value)) return {};
    return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, typeof text === 'string' ? text : '']));
  }

  /** Reads an object of counts by name. */
  counts(name: string): Readonly<Record<string, number>> {
    const value = this.#field(name);
    if (!isObject(value)) return {};
    return Object.fromEntries(Object.entries(value).map(([key, count]) => [key, Number(count) || 0]));
  }
}

/** Reads a field of an object by its name in the answer. */
export type ReadField<T> = (reader: JsonReader, name: string) => T;

export const text: ReadField<string> = (reader, name) => reader.text(name);
export const number: ReadField<number> = (reader, name) => reader.number(name);
export const numberIfKnown: ReadField<number | undefined> = (reader, name) => reader.numberIfKnown(name);
export const flag: ReadField<boolean> = (reader, name) => reader.flag(name);
export const texts: ReadField<readonly string[]> = (reader, name) => reader.texts(name);

/** Reads a list of objects. */
export function listOf<T>(read: (reader: JsonReader) => T): ReadField<readonly T[]> {
  return (reader, name) => reader.objects(name).map(read);
}

/** Makes the reader of an object from those of its fields. `markMs` is read from `mark_ms`, or from `markMs`. */
export function objectOf<T>(fields: { readonly [Name in keyof T]-?: ReadField<T[Name]> }): (reader: JsonReader) => T {
  const reads = Object.entries<ReadField<unknown>>(fields).map(
    ([name, read]) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), read] as const,
  );
  return (reader) => Object.fromEntries(reads.map(([name, sent, read]) => [name, read(reader, sent)])) as T;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
