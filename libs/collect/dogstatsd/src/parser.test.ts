import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDecimal } from './decimal.ts';
import { REFUSALS } from './line-refusal.ts';
import { DogStatsDParser, type ParserSink } from './parser.ts';
import { DEFAULT_DOGSTATSD_LIMITS, type DogStatsDLimits } from './statsd-limits.ts';
import { STATSD_TYPE, type StatsdSeries } from './statsd-series.ts';
import { StatsdSeriesTable } from './statsd-series-table.ts';

/** Records the parser's output, one line per result. */
class Notes implements ParserSink {
  readonly lines: string[] = [];
  readonly other: unknown[] = [];

  value(series: StatsdSeries, value: number, weight: number, timestampMs: number): void {
    const time = Number.isNaN(timestampMs) ? '' : ` at ${timestampMs}`;
    this.lines.push(`${describeSeries(series)} = ${value} x${weight}${time}`);
  }

  signedGauge(series: StatsdSeries, value: number): void {
    this.value(series, value, 1, Number.NaN);
  }

  member(series: StatsdSeries, member: string): void {
    this.lines.push(`${describeSeries(series)} has ${member}`);
  }

  event(event: unknown): void {
    this.other.push(event);
  }

  serviceCheck(check: unknown): void {
    this.other.push(check);
  }

  refused(reason: string, bytes: Uint8Array, from: number, to: number): void {
    expect(REFUSALS).toContain(reason);
    this.lines.push(`refused ${reason}: ${Buffer.from(bytes.subarray(from, to)).toString('latin1')}`);
  }
}

function describeSeries(series: StatsdSeries): string {
  const type = Object.entries(STATSD_TYPE).find(([, code]) => code === series.type)?.[0];
  return `${type} ${series.metric}{${series.tags.join(',')}}`;
}

function parse(datagram: string | Uint8Array, limits: DogStatsDLimits = DEFAULT_DOGSTATSD_LIMITS): Notes {
  const notes = new Notes();
  new DogStatsDParser(new StatsdSeriesTable(limits, Buffer.alloc(16)), notes, limits).parse(Buffer.from(datagram));
  return notes;
}

describe('metric lines', () => {
  const goldens: readonly (readonly [string, readonly string[]])[] = [
    ['page.views:1|c', ['count page.views{} = 1 x1']],
    ['fuel.level:0.5|g', ['gauge fuel.level{} = 0.5 x1']],
    ['g:-3.25|g', ['gauge g{} = -3.25 x1']],
    ['song.length:240|h|@0.5', ['histogram song.length{} = 240 x2']],
    ['t:12|ms', ['histogram t{} = 12 x1']],
    ['d:1e3|d|@0.1', ['distribution d{} = 1000 x10']],
    ['users.uniques:1234|s', ['set users.uniques{} has 1234']],
    ['users:a:b|s', ['set users{} has a:b']],
    ['users.online:1|c|#country:china,env:prod,country:china', ['count users.online{country:china,env:prod} = 1 x1']],
    ['x:1|c|#b,,a, ', ['count x{a,b} = 1 x1']],
    ['x:1|c|#dd.internal.entity_id:none,a', ['count x{a} = 1 x1']],
    ['page.views:1:2:32|d|#a:b|@0.5', [1, 2, 32].map((v) => `distribution page.views{a:b} = ${v} x2`)],
    ['x:1|c|#a|c:83c0a99c0a54c0c187f461c7980e9b57f3f6a8b0c918c8d93df19a9de6f3fe1d', ['count x{a} = 1 x1']],
    ['x:15|c|#k:v|T1656581400', ['count x{k:v} = 15 x1 at 1656581400000']],
    ['x:15|g|c:ci-1|e:it-false|card:low|T1656581409', ['gauge x{} = 15 x1 at 1656581409000']],
    ['a:1|c\nb:2|g\r\n\nc:3|c', ['count a{} = 1 x1', 'gauge b{} = 2 x1', 'count c{} = 3 x1']],
    ['é:1|c|#clé:été', ['count é{clé:été} = 1 x1']],
    // A refusal names the fault; the other lines, and the other values of a list, are kept.
    ['a:1|c\nbroken\nb:2|c', ['count a{} = 1 x1', 'refused line_malformed: broken', 'count b{} = 2 x1']],
    ['a:1:x:3|h', ['histogram a{} = 1 x1', 'refused value_invalid: a:1:x:3|h', 'histogram a{} = 3 x1']],
    ['a|1|c', ['refused line_malformed: a|1|c']],
    ['a:1', ['refused line_malformed: a:1']],
    [':1|c', ['refused metric_empty: :1|c']],
    ['a:|c', ['refused value_empty: a:|c']],
    ['a:|s', ['refused value_empty: a:|s']],
    ['a:1|q', ['refused type_unknown: a:1|q']],
    ['a:1|', ['refused type_unknown: a:1|']],
    ['a:NaN|g', ['refused value_nan: a:NaN|g']],
    ['a:+inf|c', ['refused value_infinite: a:+inf|c']],
    ['a:1e999|h', ['refused value_infinite: a:1e999|h']],
    ['a:0x10|g', ['refused value_invalid: a:0x10|g']],
    ['a:1|c|@0', ['refused sample_rate_invalid: a:1|c|@0']],
    ['a:1|c|@2', ['refused sample_rate_invalid: a:1|c|@2']],
    ['a:1|c|@1e-9', ['refused sample_rate_invalid: a:1|c|@1e-9']],
    ['a:1|c|@x', ['refused sample_rate_invalid: a:1|c|@x']],
    ['a:1|c|T12x', ['refused timestamp_invalid: a:1|c|T12x']],
    ['a:1|h|T1656581400', ['refused timestamp_type_unsupported: a:1|h|T1656581400']],
    ['a\u0001:1|c', ['refused metric_control_character: a\u0001:1|c']],
  ];

  test.each(goldens)('%j', (datagram, lines) => {
    expect(parse(datagram).lines).toEqual(lines);
  });

  test('lengths and counts over a limit are refused with the name of the limit as the reason', () => {
    const reasons = (datagram: string | Uint8Array, limits?: DogStatsDLimits): string[] =>
      parse(datagram, limits).lines.map((line) => line.split(/[ :]/)[1]);
    const tags = Array.from({ length: 101 }, (_, i) => `t${i}`).join(',');
    expect(reasons(`${'m'.repeat(201)}:1|c`)).toEqual(['metric_too_long']);
    expect(reasons(`m:1|c|#${'t'.repeat(4353)}`)).toEqual(['tag_too_long']);
    expect(reasons(`m:1|c|#${tags}`)).toEqual(['too_many_tags']);
    expect(reasons(`m:${'x'.repeat(201)}|s`)).toEqual(['set_member_bytes_limit']);
    expect(reasons(Buffer.from([0x6d, 0xff, 0x3a, 0x31, 0x7c, 0x63]))).toEqual(['metric_not_utf8']);
    expect(reasons(Buffer.concat([Buffer.from('m:1|c|#'), Buffer.from([0xc3])]))).toEqual(['tag_not_utf8']);
    const tight = { ...DEFAULT_DOGSTATSD_LIMITS, series: 2, valuesPerLine: 2 };
    expect(reasons('a:1|c\nb:1|c\nc:1|c\na:1|c', tight)).toEqual(['a{}', 'b{}', 'series_limit', 'a{}']);
    expect(reasons('a:1:2:3|h', tight)).toEqual(['a{}', 'a{}', 'values_per_line_limit']);
  });
});

test('events and service checks are parsed with all fields, and malformed ones are refused', () => {
  const notes = parse(
    [
      '_e{6,13}:Déjà|first\\nsecond|d:1656581400|h:web-1|k:key|p:low|s:nagios|t:error|#a:b,c',
      '_sc|db.up|2|d:1656581400|h:web-1|#a:b|m:it is | down',
      '_e{5,2}:plain|ok',
      '_sc|x|0',
    ].join('\n'),
  );
  expect(notes.lines).toEqual([]);
  expect(notes.other).toEqual([
    {
      title: 'Déjà',
      text: 'first\nsecond',
      timestampMs: 1_656_581_400_000,
      host: 'web-1',
      aggregationKey: 'key',
      priority: 'low',
      source: 'nagios',
      alertType: 'error',
      tags: ['a:b', 'c'],
    },
    {
      name: 'db.up',
      status: 'critical',
      timestampMs: 1_656_581_400_000,
      host: 'web-1',
      tags: ['a:b'],
      message: 'it is | down',
    },
    expect.objectContaining({ priority: 'normal', alertType: 'info', tags: [] }),
    expect.objectContaining({ name: 'x', status: 'ok', message: undefined }),
  ]);
  const bad = ['_e{9,9}:a|b', '_e{1}:a|b', '_e{1,1}a|b', '_e{1,1}:abc', '_sc|x', '_sc|x|9', '_sc||0'];
  expect(parse(bad.join('\n')).lines).toEqual(
    bad.map((line) => `refused ${line.startsWith('_e') ? 'event' : 'service_check'}_malformed: ${line}`),
  );
});

test('one bad field of an event or a service check costs that field alone', () => {
  const long = 't'.repeat(4353);
  const { lines, other } = parse(`_e{1,1}:a|b|d:x|h:web-1|#a,${long}\n_sc|db|1|d:-1|#b|m:slow`);
  expect(other).toEqual([
    expect.objectContaining({ title: 'a', timestampMs: undefined, host: 'web-1', tags: ['a'] }),
    expect.objectContaining({ name: 'db', timestampMs: undefined, tags: ['b'], message: 'slow' }),
  ]);
  expect(lines.map((line) => line.slice(0, 22))).toEqual(Array(3).fill('refused field_invalid:'));
});

test('of many messages of a service check each ends where another field follows, and the last one counts', () => {
  const { other } = parse(`_sc|db|1${'|#a|m:b'.repeat(3)}|m:c|d`);
  expect(other).toEqual([expect.objectContaining({ message: 'b|m:c|d', tags: ['a'] })]);
});

test('the lengths of an event and the name of a service check are in its own line', () => {
  expect(parse('_e{1\n_e{1,1}:a|b').lines).toEqual(['refused event_malformed: _e{1']);
  expect(parse('_sc|x\na|1').lines).toEqual(['refused service_check_malformed: _sc|x', 'refused line_malformed: a|1']);
});

test('fields may follow the message of a service check', () => {
  const { other } = parse('_sc|db|1|m:it is | down|h:web-1|#a:b|c:x');
  expect(other).toEqual([expect.objectContaining({ message: 'it is | down', host: 'web-1', tags: ['a:b'] })]);
});

test.each([
  ['bytes', '_e{6,2}:Déjà|ab|p:low'],
  ['UTF-16 units', '_e{4,5}:Déjà|é|😀b|p:low'],
  ['code points', '_e{4,4}:Déjà|é|😀b|p:low'],
])('lengths of an event are counted in %s', (_, line) => {
  const text = line.includes('😀') ? 'é|😀b' : 'ab';
  expect(parse(line).other).toEqual([expect.objectContaining({ title: 'Déjà', text, priority: 'low' })]);
});

test('any order of the same tags is one series, and a repeated spelling is not parsed again', () => {
  const limits = { ...DEFAULT_DOGSTATSD_LIMITS, cachedSpellings: 8 };
  const table = new StatsdSeriesTable(limits, Buffer.alloc(16));
  const find = (name: string, tags: string): unknown => {
    const bytes = Buffer.from(name + tags);
    return table.find(bytes, 0, name.length, STATSD_TYPE.count, name.length, bytes.length);
  };
  const series = find('m', 'a,b');
  expect(find('m', 'b,a')).toBe(series);
  expect(find('m', 'a,b,a')).toBe(series);
  // The boundary between name and tags is part of the spelling.
  expect(find('ma', ',b')).not.toBe(series);
  expect(table.size).toBe(2);
  for (let i = 0; i < 100; i++) find(`churn${i}`, '');
  expect(table.cachedSpellings).toBeLessThanOrEqual(8);
  expect(find('m', 'a,b')).toBe(series);
  for (let i = 0; i < 5; i++) table.nextInterval();
  expect(table.forgetIdle(5)).toBe(102);
  const again = find('m', 'a,b');
  expect(again).not.toBe(series);
  expect(find('m', 'a,b')).toBe(again);
});

describe('decimals', () => {
  test('equal the language’s own conversion bit for bit', () => {
    const check = (text: string): void => {
      const bytes = Buffer.from(text);
      expect(Object.is(parseDecimal(bytes, 0, bytes.length), Number(text))).toBe(true);
    };
    for (const text of ['-0', '+5', '.5', '5.', '0.1', '123456789012345', '1234567890123456789', '4.9e-324'])
      check(text);
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => check(String(value))));
    fc.assert(fc.property(fc.integer(), fc.nat(99_999_999), (whole, fraction) => check(`${whole}.${fraction}`)));
  });

  test('are NaN for a text that is not a number', () => {
    for (const text of ['', '-', '.', 'e5', '1e', '1.2.3', '1 ', ' 1', '1_0', '--1', '１']) {
      const bytes = Buffer.from(text);
      expect(parseDecimal(bytes, 0, bytes.length)).toBeNaN();
    }
  });
});

test('hostile bytes never throw, and every line is either parsed or refused', () => {
  const alphabet = fc.constantFrom(...Buffer.from(':|@#,\n_e{}sc0123.-TcghdmsNaN\r\u0000\u00ff', 'latin1'));
  const nearly = fc
    .uint8Array({ maxLength: 200 })
    .chain((noise) =>
      fc.array(alphabet, { maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from(bytes), noise])),
    );
  const limits = { ...DEFAULT_DOGSTATSD_LIMITS, series: 50, cachedSpellings: 20 };
  const table = new StatsdSeriesTable(limits, Buffer.alloc(16));
  fc.assert(
    fc.property(nearly, (bytes) => {
      const notes = new Notes();
      new DogStatsDParser(table, notes, limits).parse(bytes);
      const lines = bytes
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '' && line !== '\r');
      expect(notes.lines.length + notes.other.length).toBeGreaterThanOrEqual(lines.length);
    }),
    { numRuns: 2_000 },
  );
});
