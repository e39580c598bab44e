// Sends the points of docs/points-and-steps.md to a platform, and compares its answers with the tables of that page.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compressSync } from 'snappy';
import { type WrittenSeries, writeRequest } from '../libs/ingest/remote-write/src/write-request.fixture.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const PAGE = join(import.meta.dirname, '../docs/points-and-steps.md');
const MINUTE_MS = 60_000;

/** The points of one host: value and seconds from the start of the minute. */
type Points = readonly (readonly [value: number, atS: number])[];

interface Section {
  readonly title: string;
  readonly metric: string;
  readonly isAmount: boolean;
  readonly hosts: readonly Points[];
  readonly rows: readonly { readonly query: string; readonly stepS: number; readonly values: readonly string[] }[];
}

const sections = readFileSync(PAGE, 'utf8').split('\n## ').slice(1).map(readSection);

function readSection(text: string, index: number): Section {
  const [title, ...lines] = text.split('\n');
  const hosts = lines.flatMap((line) => {
    const points = [...line.matchAll(/(-?\d+) at (-?\d+) s/g)].map(([, value, at]) => [+value, +at] as const);
    return points.length > 1 ? [points] : [];
  });
  const cells = lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head, , ...body] = cells;
  const queries = head.slice(1).map((cell) => /`(.+)`/.exec(cell)?.[1] ?? '');
  const [, named] = /:(\w+)\{/.exec(queries[0]) ?? [];
  // Two sections use one name; each has its own series here.
  const metric = `${named}${index}${named === 'requests' ? '_total' : ''}`;
  const rows = body.flatMap(([step, ...values]) =>
    values.map((list, column) => ({
      stepS: Number.parseInt(step, 10),
      query: queries[column].replace(`:${named}{`, `:${metric}{`),
      values: list.split(', ').flatMap(expand),
    })),
  );
  return { title, metric, isAmount: lines.some((line) => line.startsWith('Amounts')), hosts, rows };
}

function expand(word: string): string[] {
  const [value, times = '1'] = word.split(' × ');
  return Array.from({ length: Number(times) }, () => value);
}

const harness = new TestHarness();
afterAll(() => harness.clear());
let platform: PlatformUnderTest;
let minuteMs: number;

beforeAll(async () => {
  platform = await harness.platform();
  minuteMs = Math.floor(Date.now() / MINUTE_MS - 5) * MINUTE_MS;
  const written = sections.filter(({ isAmount }) => !isAmount).flatMap(seriesOf);
  const ok = await send('/api/v1/write', compressSync(writeRequest(written)), {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  });
  const series = sections
    .filter(({ isAmount }) => isAmount)
    .map(({ metric, hosts: [points] }) => ({
      ...{ metric, type: 1, interval: 10, tags: ['host:a'] },
      points: points.map(([value, atS]) => ({ timestamp: minuteMs / 1000 + atS, value })),
    }));
  const counted = await send('/api/v2/series', Buffer.from(JSON.stringify({ series })), {
    'content-type': 'application/json',
  });
  expect([ok, counted]).toEqual([204, 202]);
}, 60_000);

function seriesOf({ metric, hosts }: Section): WrittenSeries[] {
  return hosts.map((points, host) => ({
    labels: [
      ['__name__', metric],
      ['host', 'ab'[host]],
    ],
    samples: points.map(([value, atS]) => [minuteMs + atS * 1000, value] as const),
  }));
}

async function send(path: string, body: Uint8Array, headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${platform.httpUrl}${path}`, { method: 'POST', headers, body: new Uint8Array(body) });
  return response.status;
}

async function valuesOf(query: string, fromMs: number, toMs: number): Promise<Map<number, string>> {
  const { series } = await platform.queryComplete(query, fromMs, toMs);
  expect(series.length).toBeLessThanOrEqual(1);
  return new Map(series[0]?.timesMs.map((timeMs, i) => [timeMs, show(series[0].values[i])]));
}

function show(value: number): string {
  return String(Number(value.toPrecision(12)));
}

/** The rollup of a query, which may have a method, gets the step. */
function stepped(query: string, stepS: number): string {
  const [, method] = /\.rollup\((\w+)\)/.exec(query) ?? [];
  return method === undefined ? `${query}.rollup(${stepS})` : query.replace(`(${method})`, `(${method}, ${stepS})`);
}

test('the page has five inputs at five steps, in two queries each', () => {
  expect(sections.map(({ rows }) => rows.length)).toEqual([10, 10, 10, 10, 10]);
});

describe.each(sections)('$title', ({ rows }) => {
  test.each(rows)('$query in steps of $stepS s', async ({ query, stepS, values }) => {
    expect(values).toHaveLength(60 / stepS);
    const text = stepped(query, stepS);
    const whole = await valuesOf(text, minuteMs, minuteMs + MINUTE_MS);
    const times = values.map((_, i) => minuteMs + i * stepS * 1000);
    expect(times.map((timeMs) => whole.get(timeMs) ?? '–')).toEqual(values.map((value) => shown(value)));
    // A step has the same value in a range of its own, and in a longer one.
    const at = times[Math.floor(times.length / 2)];
    const alone = await valuesOf(text, at + 1, at + 2);
    const longer = await valuesOf(text, minuteMs - 3_600_000, minuteMs + 2 * MINUTE_MS);
    expect([alone.get(at), longer.get(at)]).toEqual([whole.get(at), whole.get(at)]);
  });
});

function shown(value: string): string {
  return value === '–' ? value : show(Number(value));
}
