import {
  AGGREGATOR_NAMES,
  type CaretPlace,
  FUNCTION_NAMES,
  RANK_SHORTHANDS,
  writeMetric,
  writeWord,
} from '@tidemark/query-language/completion';
import type { MetricInfo, TagKey } from '../api/api-types.ts';
import type { ComboboxOption } from '../ui/option-list.tsx';
import { FUNCTION_CHOICES } from './function-choices.ts';
import { ranked } from './fuzzy.ts';
import { EMPTY_FIELDS, printFields, usualFields } from './query-text.ts';
import { keyOptions, metricHint, metricOptions, valueOptions } from './use-suggestions.ts';

/** A suggestion for the text of a query. */
export interface Completion extends ComboboxOption {
  /** What takes the place of the code units from `from` to `to`. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** What is selected in `text` afterwards; an empty range is a caret. */
  readonly select: readonly [from: number, to: number];
  /** True when something has to follow, so that the list stays open. */
  readonly goesOn: boolean;
}

/** What the suggestions are made of. */
export interface Suggested {
  readonly metrics: readonly MetricInfo[];
  /** Tag keys of the metric before the caret. */
  readonly keys: readonly TagKey[];
}

/** A suggestion, and what it writes. */
interface Written extends ComboboxOption {
  /** The text; with what is selected in it, or an empty text at the caret, when something has to follow. */
  readonly pieces: readonly [before: string] | readonly [before: string, selected: string, after: string];
}

const MAX_OPTIONS = 100;

/** Returns the suggestions for the caret (code units) of a query's text, the best first. */
export function completionsAt(text: string, caret: number, place: CaretPlace, data: Suggested): readonly Completion[] {
  const to = endOfReplaced(text, caret, place);
  return writtenAt(text, place, text.slice(to).trimStart(), data).map(({ pieces, ...option }) => {
    const [before, selected = '', after = ''] = pieces;
    const select = [before.length, before.length + selected.length] as const;
    return { ...option, text: before + selected + after, from: place.from, to, select, goesOn: pieces.length > 1 };
  });
}

/** A key before its colon leaves the value alone. */
function endOfReplaced(text: string, caret: number, { place, typed, to }: CaretPlace): number {
  const colon = place.type === 'tag' && !typed.includes(':') ? text.slice(caret, to).indexOf(':') : -1;
  return colon < 0 ? to : caret + colon + 1;
}

/** `rest` is what follows the text that is replaced. */
function writtenAt(text: string, caretPlace: CaretPlace, rest: string, data: Suggested): readonly Written[] {
  const { place, from } = caretPlace;
  // A lone `*` selects everything, and is there to be replaced.
  const typed = caretPlace.typed === '*' ? '' : caretPlace.typed;
  switch (place.type) {
    case 'operand':
      return operands(typed, rest, data);
    case 'metric':
      return metricOptions(data.metrics, typed).map((option) => {
        const name = writeMetric(option.value);
        return { ...option, pieces: rest.startsWith('{') ? [name] : [`${name}{`, '*', '}'] };
      });
    case 'tag':
      return tags(typed, data.keys);
    case 'key':
      return keyOptions(data.keys, typed).map(asWord);
    case 'value':
      return valueOptions(data.keys, place.key, typed).map(asWord);
    case 'by': {
      const isBegun = typed === '' ? /\s$/.test(text.slice(0, from)) : 'by'.startsWith(typed.toLowerCase());
      return isBegun ? [{ value: 'by', hint: 'group by tag keys', pieces: ['by {', '', '}'] }] : [];
    }
    case 'suffix':
      return named(typed, place.choices, 'method').map((option) => {
        if (rest.startsWith('(')) return { ...option, pieces: [option.value] };
        const hasArguments = option.value === 'rollup' || option.value === 'fill';
        return { ...option, pieces: hasArguments ? [`${option.value}(`, '', ')'] : [`${option.value}()`] };
      });
    case 'choice': {
      const quote = /["']/.test(text.charAt(from)) ? text.charAt(from) : '';
      return named(typed, place.choices, '').map((option) => ({ ...option, pieces: [quote + option.value + quote] }));
    }
  }
}

function asWord(option: ComboboxOption): Written {
  return { ...option, pieces: [writeWord(option.value)] };
}

function tags(typed: string, keys: readonly TagKey[]): readonly Written[] {
  const colon = typed.indexOf(':');
  if (colon < 0) {
    return keyOptions(keys, typed).map((option) => ({ ...option, pieces: [`${writeWord(option.value)}:`, '', ''] }));
  }
  const key = typed.slice(0, colon);
  const searched = typed.slice(colon + 1).replaceAll('*', '');
  return valueOptions(keys, key, searched).map((option) => ({
    ...option,
    pieces: [writeWord(`${key}:${option.value}`)],
  }));
}

/** Aggregators, metrics as they are usually read, and functions. */
function operands(typed: string, rest: string, { metrics }: Suggested): readonly Written[] {
  const aggregators = AGGREGATOR_NAMES.map(
    (value): Written => ({
      value,
      hint: 'aggregator',
      pieces: rest.startsWith(':') ? [value] : [`${value}:`, '', ''],
    }),
  );
  const queries = metrics.map(
    (info): Written => ({ value: info.metric, hint: metricHint(info), pieces: usual(info, rest) }),
  );
  const names = typed === '' ? FUNCTION_NAMES : [...FUNCTION_NAMES, ...RANK_SHORTHANDS];
  const functions = names.map((value): Written => {
    const args = FUNCTION_CHOICES.find(({ name }) => name === value)?.args ?? '';
    const after = args === '' ? ')' : `, ${args})`;
    return { value, hint: 'function', pieces: rest.startsWith('(') ? [value] : [`${value}(`, '', after] };
  });
  return rankedOptions(typed, [...aggregators, ...queries, ...functions]);
}

/** The metric alone before its scope, otherwise the query that it is usually read with. */
function usual({ metric, kinds }: MetricInfo, rest: string): Written['pieces'] {
  if (rest.startsWith('{')) return [writeMetric(metric)];
  const query = printFields({ ...EMPTY_FIELDS, metric, ...usualFields(kinds) });
  const star = query.lastIndexOf('{*}') + 1;
  return [query.slice(0, star), '*', query.slice(star + 1)];
}

function named(typed: string, names: readonly string[], hint: string): readonly ComboboxOption[] {
  return rankedOptions(
    typed,
    names.map((value) => ({ value, hint })),
  );
}

function rankedOptions<T extends ComboboxOption>(typed: string, options: readonly T[]): readonly T[] {
  return ranked(typed, options, ({ value }) => value, MAX_OPTIONS).map(({ item, marks }) => ({ ...item, marks }));
}
