import type { ValueMeta } from './setting.ts';
import type { Setting } from './setting-list.ts';
import { suggest } from './suggest.ts';

/** The value of one setting as it was given, and its source. */
export interface Given {
  readonly value: unknown;
  readonly source: string;
}

const SHOWN_CHARACTERS = 80;

/** Returns the message for a setting whose whole value is refused. */
export function outOfRange(setting: Setting, { value, source }: Given): string {
  return limited(setting.key, setting, setting.isSecret === true ? '…' : value, source);
}

/** Returns the messages for a refused value within a list at `path`, such as `[0, 'url']`, or for its `unknownKeys`. */
export function problemsWithin(
  setting: Setting,
  { value, source }: Given,
  path: readonly PropertyKey[],
  unknownKeys: readonly string[],
): string[] {
  const place = placeWithin(setting, path);
  if (unknownKeys.length > 0) {
    const known = Object.keys(setting.items ?? {});
    return unknownKeys.map((word) => `${place}.${unknown(word, known)}, given by ${source}`);
  }
  const meta = (typeof path[1] === 'string' ? setting.items?.[path[1]] : undefined) ?? setting;
  return [limited(place, meta, valueAt(value, path), source)];
}

/** Returns the key of a setting with the path of a value within it, such as `scrape.targets[0].url`. */
export function placeWithin(setting: Setting, path: readonly PropertyKey[]): string {
  return setting.key + path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}

export function unknown(word: string, known: readonly string[]): string {
  const meant = suggest(word, known);
  return `${word} is not a setting${meant === undefined ? '; docs/settings.md lists them' : `; did you mean ${meant}?`}`;
}

function limited(place: string, { range, unit, isChoice }: ValueMeta, value: unknown, source: string): string {
  const shown = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'missing');
  const cut = shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
  const withUnit = unit === '' || unit === 'port' ? range : `${range} ${unit}`;
  return `${place}: ${cut}, given by ${source} (${isChoice === true ? 'one of' : 'limit'}: ${withUnit})`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (isIndexable(at) ? at[step] : undefined), value);
}

function isIndexable(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === 'object' && value !== null;
}
