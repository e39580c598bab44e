// Runs the scripts in testdata: points are loaded, queries evaluated, and the rows compared with those written down.
// The stores are simple models (a list of series, filtered by matchesFilter); folds, functions and language are the
// real ones.
//
//     load 10s                              a value every 10 s, from time 0
//       gauge load{host:a,env:prod} 1 2 _ 4      `_` says that the series has ended; 0+5x3 is 0 5 10 15
//       counter bytes{host:a} 1 2 . 4            `.` sends nothing
//       distribution latency{host:a} [1,2,3] _
//     eval 0s 40s 10s avg:load{*} by {host}  from, to, step (where the query has no rollup), query
//       {host:a} 1 2 _ 4                         in order; ~4 is 4 with an error of 1%
//       next                                     between the results of several expressions
//     fail 0s 40s 10s avg:load{             an error
//       column 10                                a part of its message
//     clear                                  removes the loaded points
//
// Times of `eval` may also be dates (2026-03-29T00:00Z), for calendars; `load 3600s 2026-03-28T00:00Z` loads from then.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import {
  calendarStarts,
  type Frame,
  type FrameSeries,
  SpacePartial,
  TIME_FOLD,
  type TimeFold,
  TimeFolder,
  TimeShifter,
  ZoneClock,
} from '@tidemark/fold';
import { KIND, type Kind, type KindName } from '@tidemark/model';
import { finishAtOnce, isTidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { evaluate, groupTags, type LeafView, matchesFilter, parseQuery, planLeaf, type QueryLeaf } from './index.ts';

interface Loaded {
  readonly metric: string;
  readonly kind: Kind;
  readonly tags: readonly string[];
  /** Values of a distribution's points are lists. */
  readonly points: readonly { readonly timeMs: number; readonly value: number | readonly number[] }[];
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

const DIRECTORY = join(import.meta.dirname, 'testdata');

for (const file of readdirSync(DIRECTORY)
  .filter((name) => name.endsWith('.test.txt'))
  .sort()) {
  describe(file, () => {
    let loaded: Loaded[] = [];
    for (const command of commandsOf(readFileSync(join(DIRECTORY, file), 'utf8'))) {
      const [verb, ...words] = command.head.split(/\s+/);
      if (verb === 'load')
        loaded = [...loaded, ...command.body.map((line) => loadLine(line, millis(words[0]), millis(words[1] ?? '0s')))];
      else if (verb === 'clear') loaded = [];
      else if (verb === 'eval' || verb === 'fail') {
        const range = { fromMs: millis(words[0]), toMs: millis(words[1]), stepMs: millis(words[2]) };
        const query = command.head.replace(/^(?:\S+\s+){4}/, '');
        const data = loaded;
        test(`line ${command.line}: ${query}`, () => {
          if (verb === 'eval') expectRows(run(query, range, data), command.body);
          else expectFailure(() => run(query, range, data), command.body);
        });
      } else throw new Error(`${file}, line ${command.line}: unknown command ${verb}`);
    }
  });
}

interface Command {
  readonly line: number;
  readonly head: string;
  readonly body: string[];
}

function commandsOf(script: string): Command[] {
  const commands: Command[] = [];
  script.split('\n').forEach((text, i) => {
    if (text.trim() === '' || text.startsWith('#')) return;
    if (text.startsWith(' ')) commands[commands.length - 1].body.push(text.trim());
    else commands.push({ line: i + 1, head: text, body: [] });
  });
  return commands;
}

function millis(text: string): number {
  if (text.includes('T')) return Date.parse(text);
  const seconds = /^(-?[0-9]+)s$/.exec(text)?.[1];
  if (seconds === undefined) throw new Error(`no time: ${text}`);
  return Number(seconds) * 1000;
}

function loadLine(line: string, everyMs: number, fromMs: number): Loaded {
  const [, kind, metric, tags, rest] = /^(\w+) ([\w.]+)\{(.*?)\}\s+(.*)$/.exec(line) ?? [];
  if (kind === undefined || !Object.hasOwn(KIND, kind)) throw new Error(`can't load: ${line}`);
  const values = rest.split(/\s+/).flatMap(valuesOf);
  const points = values.flatMap((value, i) => (value === undefined ? [] : [{ timeMs: fromMs + i * everyMs, value }]));
  return { metric, kind: KIND[kind as KindName], tags: tags === '' ? [] : tags.split(',').sort(), points };
}

function valuesOf(text: string): (number | number[] | undefined)[] {
  if (text === '_') return [Number.NaN];
  if (text === '.') return [undefined];
  if (text.startsWith('[')) return [JSON.parse(text) as number[]];
  const [, start, increment, times] = /^(-?[0-9.]+)([+-][0-9.]+)x([0-9]+)$/.exec(text) ?? [];
  if (times === undefined) return [Number(text)];
  return Array.from({ length: Number(times) + 1 }, (_, i) => Number(start) + Number(increment) * i);
}

function run(text: string, range: Range, loaded: readonly Loaded[]): Frame[] {
  const work = evaluate(
    parseQuery(text),
    (leaf, view) => frameOf(leaf, view, range, loaded),
    (leaf) => {
      const starts = startsOf(leaf, range, 0);
      return {
        stepMs: starts[1] - starts[0],
        steps: starts.length - 1,
        isCalendar: leaf.rollup?.calendar !== undefined,
      };
    },
  );
  return finishAtOnce(work);
}

/** The starts of the steps of the range, and of `before` steps earlier, and the end of the last. */
function startsOf(leaf: QueryLeaf, { fromMs, toMs, stepMs }: Range, before: number): number[] {
  const calendar = leaf.rollup?.calendar;
  if (calendar !== undefined) return calendarStarts(calendar, new ZoneClock(calendar.zone), fromMs, toMs, before);
  const lengthMs = leaf.rollup?.seconds === undefined ? stepMs : leaf.rollup.seconds * 1000;
  const steps = Math.ceil((toMs - fromMs) / lengthMs);
  return Array.from({ length: before + steps + 1 }, (_, i) => fromMs + (i - before) * lengthMs);
}

function frameOf(leaf: QueryLeaf, view: LeafView, range: Range, loaded: readonly Loaded[]): Frame {
  const starts = startsOf(leaf, range, view.before);
  const steps = starts.length - 1;
  const shifter = new TimeShifter(view.shifts);
  const groups = new Map<string, { tags: string[]; kind: Kind; members: Loaded[] }>();
  for (const series of loaded) {
    if (series.metric !== leaf.metric || !matchesFilter(leaf.filter, series.tags)) continue;
    for (const tags of groupTags(leaf.groupBy, series.tags)) {
      const key = `${tags.join('\n')}\n${series.kind}`;
      const group = groups.get(key) ?? { tags, kind: series.kind, members: [] };
      group.members.push(series);
      groups.set(key, group);
    }
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const isPlain = view.shifts.length === 0 && leaf.rollup?.calendar === undefined;
  const series = sorted.map(({ tags, kind, members }): FrameSeries => {
    const plan = planLeaf(leaf, kind);
    const isAmount = kind === KIND.count || kind === KIND.distribution;
    const fold = (fromMs: number, stepMs: number, count: number): Float64Array => {
      const folder = new TimeFolder({ fromMs, stepMs, steps: count, fold: plan.timeFold, isAmount });
      const partial = new SpacePartial(plan.spaceFold, count);
      for (const one of members) {
        const times = Float64Array.from(one.points, ({ timeMs }) => timeMs);
        const sketches = one.points.flatMap(({ value }) => (typeof value === 'number' ? [] : [sketchOf(value)]));
        const values = Float64Array.from(one.points, ({ value }) => amountOf(value, plan.timeFold));
        const isSketched = plan.timeFold === TIME_FOLD.sketch;
        partial.addSeries(
          isSketched ? folder.foldSketches(times, sketches) : folder.foldPoints(times, values, times.length),
        );
      }
      return partial.values(plan.read);
    };
    // Steps of a calendar, and those of shifts, are folded one by one.
    const values = isPlain
      ? fold(starts[0], starts[1] - starts[0], steps)
      : Float64Array.from({ length: steps }, (_, i) => {
          const from = shifter.shifted(starts[i]);
          const isCalendar = leaf.rollup?.calendar !== undefined;
          const to = isCalendar ? shifter.shifted(starts[i + 1]) : from + starts[i + 1] - starts[i];
          return fold(from, to - from, 1)[0];
        });
    return { tags, metric: leaf.metric, kind: plan.valueKind, values };
  });
  const isCalendar = leaf.rollup?.calendar !== undefined;
  const lengths = starts.slice(1).map((start, i) => start - starts[i]);
  return {
    ...{ fromMs: starts[0], stepMs: Math.max(...lengths), steps, series },
    ...(isCalendar ? { startsMs: starts } : {}),
  };
}

function sketchOf(values: readonly number[]): Uint8Array {
  const sketch = new DDSketch();
  for (const value of values) sketch.insert(value);
  const writer = new ByteWriter();
  packSketch(sketch, writer);
  return writer.take();
}

/** The value of a point; of a distribution's the part that the fold takes. */
function amountOf(value: number | readonly number[], fold: TimeFold): number {
  if (typeof value === 'number') return value;
  return fold === TIME_FOLD.sketchCount ? value.length : value.reduce((sum, one) => sum + one, 0);
}

function expectRows(frames: readonly Frame[], body: readonly string[]): void {
  const rows = frames.flatMap((frame, i) => [
    ...(i === 0 ? [] : ['next']),
    ...frame.series.map((series) => [`{${series.tags.join(',')}}`, ...Array.from(series.values, show)].join(' ')),
  ]);
  const expected = body.map((line) =>
    line.split(/\s+/).flatMap((word) => (word.startsWith('{') || word === 'next' ? [word] : expand(word))),
  );
  const actual = rows.map((row, i) => row.split(' ').map((word, k) => settle(word, expected[i]?.[k])));
  expect(actual).toEqual(expected);
}

function expand(word: string): string[] {
  if (word.startsWith('~')) return [word];
  return valuesOf(word).map((value) => (typeof value === 'number' ? show(value) : '_'));
}

/** Twelve digits, so that rows can be written by hand. */
function show(value: number): string {
  return Number.isNaN(value) ? '_' : String(Number(value.toPrecision(12)) + 0);
}

/** `wanted` when it is an approximate value that `actual` meets. */
function settle(actual: string, wanted: string | undefined): string {
  if (wanted === undefined || !wanted.startsWith('~')) return actual;
  const about = Number(wanted.slice(1));
  return Math.abs(Number(actual) - about) <= 0.01 * Math.abs(about) ? wanted : actual;
}

function expectFailure(act: () => unknown, body: readonly string[]): void {
  let message = 'no error';
  try {
    act();
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    message = error.message;
  }
  for (const part of body) expect(message).toContain(part);
}
