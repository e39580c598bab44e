import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { QueryReply } from '@tidemark/contract';
import { type Examination, FINDING_KINDS, runbookOf } from '@tidemark/doctor';
import { explain, openEventLog } from '@tidemark/executable';
import { KIND } from '@tidemark/model';
import { printable } from '@tidemark/model/safe-text';
import { TidemarkError } from '@tidemark/ports';
import { examinationJson, formatExamination } from './doctor/examination-output.ts';
import { parseRange, parseTime } from './parse-time.ts';
import { formatReply } from './query-output.ts';

const NOW_MS = 1_700_000_000_000;

function reply(values: readonly number[], scope = 'host:a'): QueryReply {
  const timesMs = values.map((_, i) => NOW_MS + i * 1000);
  return QueryReply.fromPartial({
    series: [
      {
        scope,
        expression: 'avg:m{*} by {host}',
        intervalMs: 1000,
        timesMs,
        values: [...values],
        kind: KIND.gauge,
        completeSteps: 2,
      },
    ],
    completeThroughMs: NOW_MS + 2000,
  });
}

describe('printed output', () => {
  test('times are parsed in every documented form', () => {
    expect(parseTime('now', NOW_MS)).toBe(NOW_MS);
    expect(parseTime('-15m', NOW_MS)).toBe(NOW_MS - 900_000);
    expect(parseTime('-1.5d', NOW_MS)).toBe(NOW_MS - 129_600_000);
    expect(parseTime('1700000000', 0)).toBe(NOW_MS);
    expect(parseTime('1700000000000', 0)).toBe(NOW_MS);
    expect(parseTime('2023-11-14T22:13:20Z', 0)).toBe(NOW_MS);
    for (const wrong of ['yesterday', '-15x', '', '15m', '1e400'])
      expect(() => parseTime(wrong, 0)).toThrow(/is not a time/);
  });

  test('a range that does not end after it begins is refused with the names of the options', () => {
    expect(parseRange('-15m', 'now', NOW_MS)).toEqual({ fromMs: NOW_MS - 900_000, toMs: NOW_MS });
    expect(() => parseRange('now', '-5m', NOW_MS)).toThrow(
      '--to (2023-11-14T22:08:20.000Z) is before --from (2023-11-14T22:13:20.000Z)',
    );
    expect(() => parseRange('now', 'now', NOW_MS)).toThrow(/^--to .* is equal to --from/);
  });

  test('a table marks steps that are not complete yet', () => {
    const lines = formatReply(reply([1, 2, 3]), 'table', false).split('\n');
    expect(lines.filter((line) => line.includes('~'))).toHaveLength(2);
    expect(lines.find((line) => line.includes('22:13:22'))).toContain('~');
  });

  test('the figures of a series are of its complete steps', () => {
    const long = reply(Array.from({ length: 200 }, (_, i) => (i < 2 ? 1e308 + i * 1e307 : -7)));
    expect(formatReply(long, 'table', false)).toMatch(/1\.1e\+308 .*1e\+308 .*1\.05e\+308 .*1\.1e\+308 .*200 .*198 /);
    const [series] = long.series;
    const unknown = { ...long, completeThroughMs: undefined, series: [{ ...series, completeSteps: 0 }] };
    expect(formatReply(unknown, 'table', false)).toMatch(/host:a │ +│ +│ +│ +│ 200 +│ 200 /);
  });

  test('CSV quotes its cells, marks incomplete steps, and spreadsheets run no cell', () => {
    const csv = formatReply(reply([0.1, 1, 2], '=cmd(),"x"'), 'csv', false).split('\n');
    expect(csv[0]).toBe('time,expression,scope,value,complete,kind');
    const negative = formatReply(reply([-1, -0.5, -2], '-2+cmd()\u0085x'), 'csv', false);
    expect(negative).toContain(`,'-2+cmd()\\u0085x,-1,true,gauge\n`);
    expect(negative).toContain(',-0.5,true');
    expect(csv[1]).toBe(`2023-11-14T22:13:20.000Z,avg:m{*} by {host},"'=cmd(),""x""",0.1,true,gauge`);
    expect(csv.slice(2).map((line) => line.slice(-13))).toEqual([',1,true,gauge', '2,false,gauge', '']);
  });

  test('two series that differ only by their kind have it in their labels', () => {
    const { series, ...rest } = reply([1, 2]);
    const two = { ...rest, series: [series[0], { ...series[0], kind: KIND.count }] };
    for (const format of ['table', 'chart'] as const) {
      const text = formatReply(two, format, false);
      expect(text).toContain('host:a (gauge)');
      expect(text).toContain('host:a (count)');
    }
    expect(formatReply(reply([1]), 'table', false)).not.toContain('(gauge)');
  });

  test('a chart is drawn for any numbers', () => {
    for (const values of [
      [1],
      [1, 2, 1],
      [5e30, 5e30],
      [Number.NaN, 3, Number.POSITIVE_INFINITY, 4],
      [-1e-9, 1e-9],
      [-1.7e308, 1.7e308],
    ]) {
      const chart = formatReply(reply(values), 'chart', false);
      expect(chart).toContain('host:a');
      expect(chart).not.toMatch(/NaN|Infinity/);
    }
    expect(formatReply(reply([Number.NaN]), 'chart', false)).toBe('no points in this range\n');
    expect(formatReply(reply([]), 'table', false)).toContain('│');
  });

  test('a chart of infinite values alone says so', () => {
    const chart = formatReply(reply([Number.POSITIVE_INFINITY]), 'chart', false);
    expect(chart).toMatch(/^all values are infinite, .*--format table/);
  });

  test('lines without colors are drawn with different characters, which the legend names', () => {
    const { series, ...rest } = reply([1, 1, 1]);
    const two = { ...rest, series: [series[0], { ...series[0], scope: 'host:b', values: [5, 5, 5] }] };
    const chart = formatReply(two, 'chart', false);
    expect(chart).toMatch(/┤222\n/);
    expect(chart).toMatch(/┤111\n/);
    expect(chart).toContain('1 host:a');
    expect(chart).toContain('2 host:b');
  });

  test('a chart draws incomplete steps dashed, and a missing step as a gap', () => {
    const rows = (text: string) => text.split('\n').map((row) => row.slice(13));
    const [row, marks] = rows(formatReply(reply([5, 5, 5, 5]), 'chart', false));
    expect([row, marks]).toEqual(['┤──┄┄', '   ~~ not complete yet']);
    const { series, ...rest } = reply([5, 5, 5, 5, 5]);
    const timesMs = series[0].timesMs.map((timeMs, i) => timeMs + (i > 2 ? 5_000 : 0));
    const gappy = { ...rest, series: [{ ...series[0], timesMs, completeSteps: 5 }] };
    expect(rows(formatReply(gappy, 'chart', false))[0]).toMatch(/^┤─+ +─+$/);
  });

  test('received names and messages cannot move the cursor or fake a line', () => {
    expect(printable('a\u001b[2Jb\nc\u202e')).toBe('a\\u001b[2Jb\\nc\\u202e');
    const lines: string[] = [];
    const log = openEventLog('info', (line) => lines.push(line));
    log.warn({ check: 'disk\n12:00:00 error all is lost' }, 'a check failed');
    log.debug('not this');
    log.info({ name: 'a\u009b31m' }, 'b\u202e');
    expect(lines[1]).toMatch(/info b\\u202e name="a\\u009b31m"\n$/);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn a check failed check="disk\\n12:00:00 error all is lost"\n$/);
  });

  test('the error for a full disk says what to do', () => {
    const error = new TidemarkError('resource_exhausted', 'cannot write /x: ENOSPC', { path: '/x', errno: 'ENOSPC' });
    expect(explain(error)).toMatch(/cannot write .*\nThe disk is full: .*--data/);
  });
});

describe('the output of the doctor', () => {
  const looked = '1 of 1 process';
  const ill: Examination = {
    outcome: 'ill',
    looked,
    findings: [
      {
        kind: 'partition-halted',
        severity: 'broken',
        what: 'points/3 is halted: \u001b[31mbad\u001b[0m',
        sinceMs: NOW_MS - 65_000,
        means: 'this',
        next: 'that',
      },
      { kind: 'gap', severity: 'note', what: 'a gap', sinceMs: undefined, means: 'a', next: 'b' },
    ],
  };

  test('it is one line when nothing is wrong, and a section for each finding otherwise', () => {
    expect(formatExamination({ outcome: 'healthy', looked, findings: [] }, NOW_MS)).toBe(
      'nothing is wrong; checked 1 of 1 process\n',
    );
    expect(formatExamination(ill, NOW_MS)).toBe(
      [
        '1 problem found; checked 1 of 1 process',
        '',
        'BROKEN    points/3 is halted: \\u001b[31mbad\\u001b[0m',
        '  since   2023-11-14T22:12:15.000Z, 1 min 5 s ago',
        '  means   this',
        '  next    that',
        '  more    docs/operations/doctor.md#a-partition-is-halted',
        '',
        'NOTE      a gap',
        '  means   a',
        '  next    b',
        '  more    docs/operations/doctor.md#a-gap',
        '',
      ].join('\n'),
    );
  });

  test('the JSON output has every field of a finding', () => {
    const { outcome, findings } = JSON.parse(examinationJson(ill));
    expect(outcome).toBe('ill');
    expect(findings[0]).toMatchObject({ kind: 'partition-halted', since_ms: NOW_MS - 65_000, next: 'that' });
    expect(findings[1].since_ms).toBeNull();
  });

  test('every finding names an existing section of the runbook', () => {
    const page = readFileSync(new URL('../../../docs/operations/doctor.md', import.meta.url), 'utf8');
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => {
      return heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
    });
    for (const kind of FINDING_KINDS) expect(anchors).toContain(runbookOf(kind).split('#')[1]);
  });
});
