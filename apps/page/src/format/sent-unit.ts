import { printable } from '@tidemark/model/safe-text';
import { NO_UNIT, type Unit } from './units.ts';

/** A unit as an answer states it, in Datadog's names: `byte`, or `byte` per `second`. */
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

/** Longest name of a unit that is shown, characters. */
const LONGEST = 24;

/** Converts a stated unit to one that the page formats: known ones in their base unit, any other by its name. */
export function unitAsSent({ name, per }: SentUnit): Unit {
  const isPerSecond = per === 'second';
  if (per !== '' && !isPerSecond) return named(`${name}/${per}`);
  const bytes = BYTES[name];
  if (bytes !== undefined) return { name: isPerSecond ? 'bytes/s' : 'bytes', scale: bytes };
  if (isPerSecond) return name === '' ? { name: '/s', scale: 1 } : named(`${name}/s`);
  const seconds = TIMES[name];
  if (seconds !== undefined) return { name: 'seconds', scale: seconds };
  if (name === 'percent') return { name: 'percent', scale: 1 };
  if (name === 'fraction') return { name: 'percent', scale: 100 };
  return name === '' ? NO_UNIT : named(name);
}

function named(text: string): Unit {
  const characters = [...printable(text)];
  const shown = characters.length <= LONGEST ? characters : [...characters.slice(0, LONGEST - 1), '…'];
  return { name: `of ${shown.join('')}`, scale: 1 };
}
