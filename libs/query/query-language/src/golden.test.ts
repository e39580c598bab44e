// Runs the scripts in testdata: points are loaded, queries evaluated, and the rows compared with those written down.
// The stores are simple models (a list of series, filtered by matchesFilter); folds, functions and language are the
// real ones.
//
//     load 10s                              a value every 10 s, from time 0
//       gauge load{host:a,env:prod} 1 2 _ 4      `_` is a missing value; 0+5x3 is 0 5 10 15
//       distribution latency{host:a} [1,2,3] _
//     eval 0s 40s 10s avg:load{*} by {host}  from, to, step (where the query has no rollup), query
//       {host:a} 1 2 _ 4                         in order; ~4 is 4 with an error of 1%
//       next                                     between the results of several expressions
//     fail 0s 40s 10s avg:load{             an error
//       column 10                                a part of its message
//     clear                                  removes the loaded points

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { type Frame, type FrameSeries, SpacePartial, TIME_FOLD, TimeFolder } from '@tidemark/fold';
import { KIND, type Kind, type KindName } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';
import { evaluate, groupTags, matchesFilter, parseQuery, planLeaf, type QueryLeaf } from './index.ts';

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
      if (verb === 'load') loaded = [...loaded, ...command.body.map((line) => loadLine(line, millis(words[0])))];
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
  const seconds = /^(-?[0-9]+)s$/.exec(text)?.[1];
  if (seconds === undefined) throw new Error(`no time: ${text}`);
  return Number(seconds) * 1000;
}

function loadLine(line: string, everyMs: number): Loaded {
  const [, kind, metric, tags, rest] = /^(\w+) ([\w.]+)\{(.*?)\}\s+(.*)$/.exec(line) ?? [];
  if (kind === undefined || !Object.hasOwn(KIND, kind)) throw new Error(`can't load: ${line}`);
  const values = rest.split(/\s+/).flatMap(valuesOf);
  const points = values.flatMap((value, i) => (value === undefined ? [] : [{ timeMs: i * everyMs, value }]));
  return { metric, kind: KIND[kind as KindName], tags: tags === '' ? [] : tags.split(',').sort(), points };
}

function valuesOf(text: string): (number | number[] | undefined)[] {
  if (text === '_') return [undefined];
  if (text.startsWith('[')) return [JSON.parse(text) as number[]];
  const [, start, increment, times] = /^(-?[0-9.]+)([+-][0-9.]+)x([0-9]+)$/.exec(text) ?? [];
  if (times === undefined) return [Number(text)];
  return Array.from({ length: Number(times) + 1 }, (_, i) => Number(start) + Number(increment) * i);
}

function run(text: string, range: Range, loaded: readonly Loaded[]): Frame[] {
  return evaluate(parseQuery(text), (leaf) => frameOf(leaf, range, loaded));
}

function frameOf(leaf: QueryLeaf, range: Range, loaded: readonly Loaded[]): Frame {
  const stepMs = leaf.rollup?.seconds === undefined ? range.stepMs : leaf.rollup.seconds * 1000;
  const { fromMs } = range;
  const steps = Math.ceil((range.toMs - fromMs) / stepMs);
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
  const series = sorted.map(({ tags, kind, members }): FrameSeries => {
    const plan = planLeaf(leaf, kind);
    const folder = new TimeFolder({ fromMs, stepMs, steps, fold: plan.timeFold });
    const partial = new SpacePartial(plan.spaceFold, steps);
    for (const one of members) {
      folder.begin();
      for (const { timeMs, value } of one.points) {
        if (typeof value === 'number') {
          if (timeMs < fromMs && plan.timeFold === TIME_FOLD.increase) folder.seed(value);
          folder.add(timeMs, value);
        } else folder.addSketch(timeMs, sketchOf(value));
      }
      partial.addSeries(folder.finish());
    }
    return { tags, metric: leaf.metric, kind: plan.valueKind, values: partial.values(plan.read) };
  });
  return { fromMs, stepMs, steps, series };
}

function sketchOf(values: readonly number[]): Uint8Array {
  const sketch = new DDSketch();
  for (const value of values) sketch.insert(value);
  const writer = new ByteWriter();
  packSketch(sketch, writer);
  return writer.take();
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
