import { printable } from '@tidemark/model/safe-text';
import { NO_UNIT, type Unit } from './units.ts';

/**
 * A unit as an answer states it: in Datadog's names (`byte`, or `byte` per `second`), or as its sender wrote it (`bytes`,
 * `MiB`, `By`, `KiB/s`).
 */
export interface SentUnit {
  readonly name: string;
  /** Empty when the unit is not a rate. */
  readonly per: string;
}

const TIMES: Readonly<Record<string, number>> = {
  nanosecond: 1e-9,
  microsecond: 1e-6,
  millisecond: 1e-3,
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
};

const BYTES: Readonly<Record<string, number>> = Object.fromEntries([
  ...['byte', 'kibibyte', 'mebibyte', 'gibibyte', 'tebibyte', 'pebibyte'].map((name, rank) => [name, 1_024 ** rank]),
  ...['kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'].map((name, rank) => [name, 1_000 ** (rank + 1)]),
]);

/** Symbols, as the agent, Prometheus and UCUM (OpenTelemetry) write them. Letters count as they are: `Mb` is not `MB`. */
const BYTE_SYMBOLS: Readonly<Record<string, number>> = Object.fromEntries(
  ['B', 'By'].flatMap((symbol) => [
    ...['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'].map((prefix, rank) => [prefix + symbol, 1_024 ** rank]),
    ...['k', 'M', 'G', 'T', 'P'].map((prefix, rank) => [prefix + symbol, 1_000 ** (rank + 1)]),
  ]),
);
const TIME_SYMBOLS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3_600, d: 86_400 },
};

/** Longest name of a unit that is shown, characters. */
const LONGEST = 24;

/** Converts a stated unit to one that the page formats: known ones in their base unit, any other by its name. */
export function unitAsSent(sent: SentUnit): Unit {
  const isRate = sent.per === '' && sent.name.endsWith('/s');
  const { name, per } = isRate ? { name: sent.name.slice(0, -2), per: 'second' } : sent;
  const isPerSecond = per === 'second';
  if (per !== '' && !isPerSecond) return named(`${name}/${per}`);
  const bytes = known(BYTES, name) ?? known(BYTE_SYMBOLS, name);
  if (bytes !== undefined) return { name: isPerSecond ? 'bytes/s' : 'bytes', scale: bytes };
  if (isPerSecond) return name === '' ? { name: '/s', scale: 1 } : named(`${name}/s`);
  const seconds = known(TIMES, name) ?? known(TIME_SYMBOLS, name);
  if (seconds !== undefined) return { name: 'seconds', scale: seconds };
  if (name === 'percent' || name === '%') return { name: 'percent', scale: 1 };
  if (name === 'fraction') return { name: 'percent', scale: 100 };
  return name === '' ? NO_UNIT : named(name);
}

/** Looks a name up, also in the plural. The names of others are not properties of objects. */
function known(table: Readonly<Record<string, number>>, name: string): number | undefined {
  if (Object.hasOwn(table, name)) return table[name];
  const one = name.endsWith('s') ? name.slice(0, -1) : '';
  return one.length > 2 && Object.hasOwn(table, one) ? table[one] : undefined;
}

function named(text: string): Unit {
  const characters = [...printable(text)];
  const shown = characters.length <= LONGEST ? characters : [...characters.slice(0, LONGEST - 1), '…'];
  return { name: `of ${shown.join('')}`, scale: 1 };
}
