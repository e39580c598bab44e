import { printable } from '@tidemark/model/safe-text';
import { type ErrorDetail, TidemarkError } from '@tidemark/ports';

/** Max characters of a refused value in a message. */
const SHOWN_CHARACTERS = 100;

/** Checks fields of a JSON object of the store. Every difference is `data_loss` with key, field, value and limit. */
export class DocumentFields {
  readonly #key: string;
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  private constructor(key: string, path: string, values: Readonly<Record<string, unknown>>) {
    this.#key = key;
    this.#path = path;
    this.#values = values;
  }

  /** Takes a value that must be an object with the `known` fields only; `path` is its own name in its document. */
  static of(key: string, path: string, value: unknown, known: ReadonlySet<string>): DocumentFields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw damagedDocument(key, path, value, 'an object');
    }
    const fields = new DocumentFields(key, path, value as Readonly<Record<string, unknown>>);
    for (const name of Object.keys(value)) {
      if (!known.has(name)) throw fields.refused(name, `one of ${[...known].join(', ')}`, 'an unknown field');
    }
    return fields;
  }

  text(name: string, form: RegExp, limit: string): string {
    const value = this.#values[name];
    if (typeof value !== 'string' || !form.test(value)) throw this.refused(name, limit);
    return value;
  }

  /** A text of 1 to `characters` printable characters. */
  shortText(name: string, characters: number): string {
    const value = this.#values[name];
    const isShort = typeof value === 'string' && value.length >= 1 && value.length <= characters;
    if (!isShort || printable(value) !== value) throw this.refused(name, `1 to ${characters} printable characters`);
    return value;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#values[name];
    const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
    if (!isInteger || (value as number) < min || (value as number) > max) {
      throw this.refused(name, `a whole number, ${min} to ${max}`);
    }
    return value as number;
  }

  flag(name: string): boolean {
    const value = this.#values[name];
    if (typeof value !== 'boolean') throw this.refused(name, 'true or false');
    return value;
  }

  /** A list of at most `max` objects with the `known` fields only. */
  list(name: string, max: number, known: ReadonlySet<string>): DocumentFields[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw this.refused(name, 'a list');
    if (value.length > max) throw this.refused(name, max, `${value.length} entries`);
    return value.map((one, i) => DocumentFields.of(this.#key, `${this.#pathOf(name)}[${i}]`, one, known));
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  /** The error for the value of a field. */
  refused(name: string, limit: string | number, found: unknown = this.#values[name]): TidemarkError {
    return damagedDocument(this.#key, this.#pathOf(name), found, limit);
  }

  #pathOf(name: string): string {
    const shown = printable(name).slice(0, SHOWN_CHARACTERS);
    return this.#path === '' ? shown : `${this.#path}.${shown}`;
  }
}

/** The `data_loss` for an object whose content is not what the format says. */
export function damagedDocument(
  key: string,
  field: string,
  found: unknown,
  limit: string | number,
  detail: ErrorDetail = {},
): TidemarkError {
  const text = printable(JSON.stringify(found) ?? 'nothing').slice(0, SHOWN_CHARACTERS);
  const message = `object ${key}, ${field === '' ? 'content' : field}: ${text} (limit: ${limit})`;
  return new TidemarkError('data_loss', message, { ...detail, key, field, limit });
}

/** The JSON value of bytes. `data_loss` where they are not JSON in UTF-8. */
export function parseJson(key: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const message = `object ${key}: its ${bytes.length} bytes are not JSON in UTF-8`;
    throw new TidemarkError('data_loss', message, { key }, { cause: error });
  }
}
