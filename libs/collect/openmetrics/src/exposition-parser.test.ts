import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { type ExpositionFormat, formatOf } from './exposition-format.ts';
import { DEFAULT_EXPOSITION_LIMITS, type ExpositionLimits, ExpositionParser } from './exposition-parser.ts';
import type { TypedSeries } from './series-text.ts';

const TESTDATA = new URL('./testdata/', import.meta.url);

/** Parses bodies and returns the results of the last one, one line per result. */
class Notes {
  readonly parser: ExpositionParser<TypedSeries>;
  resolved = 0;

  constructor(limits: Partial<ExpositionLimits> = {}) {
    this.parser = new ExpositionParser({
      limits: { ...DEFAULT_EXPOSITION_LIMITS, ...limits },
      resolve: (series) => {
        this.resolved++;
        if (series.name === 'refused') throw new TidemarkError('invalid_argument', 'no', { reason: 'by_name' });
        return series;
      },
    });
  }

  read(body: string | Uint8Array, format: ExpositionFormat = 'text', isCut = false): string[] {
    const lines: string[] = [];
    const onSample = ({ name, labels, kind }: TypedSeries, value: number, timestampMs: number | undefined): void => {
      const pairs = labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',');
      lines.push(`${kind} ${name}{${pairs}} = ${value}${timestampMs === undefined ? '' : ` at ${timestampMs}`}`);
    };
    const { samples, bad } = this.parser.parse(body, format, onSample, { isCut });
    expect(samples).toBe(lines.length);
    for (const [reason, { count, line, example }] of bad)
      lines.push(`bad ${reason} ${count}, line ${line}: ${example}`);
    return lines;
  }
}

describe('golden expositions', () => {
  const names = readdirSync(TESTDATA).filter((name) => /^[\w-]+\.txt$/.test(name));
  test.each(names)('%s', (name) => {
    const body = readFileSync(new URL(name, TESTDATA));
    const expected = readFileSync(new URL(name.replace('.txt', '.expected'), TESTDATA), 'utf8');
    const format = name.startsWith('openmetrics') || name.startsWith('cut-off') ? 'openmetrics' : 'text';
    const notes = new Notes();
    expect(`${notes.read(body, format).join('\n')}\n`).toBe(expected);
    // Neither earlier bodies nor the type of the input (text or bytes) changes the result.
    const resolved = notes.resolved;
    expect(`${notes.read(body.toString('utf8'), format).join('\n')}\n`).toBe(expected);
    expect(notes.resolved).toBe(resolved);
  });
});

test('the content type selects the format, and excludes other types', () => {
  expect(formatOf(undefined)).toBe('text');
  expect(formatOf('text/plain; version=0.0.4; charset=utf-8')).toBe('text');
  expect(formatOf('Application/OpenMetrics-Text; version=1.0.0; charset=utf-8')).toBe('openmetrics');
  expect(formatOf('text/html')).toBeUndefined();
  expect(formatOf('application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily')).toBeUndefined();
});

describe('one parser, many bodies', () => {
  test('a changed type changes the kind, also of a known series', () => {
    const notes = new Notes();
    expect(notes.read('# TYPE a counter\na 1\n')).toEqual(['counter a{} = 1']);
    expect(notes.read('# TYPE a gauge\na 2\n')).toEqual(['gauge a{} = 2']);
    expect(notes.read('a 3\n')).toEqual(['reading a{} = 3']);
    expect(notes.read('# TYPE a counter\na 1\n# TYPE a gauge\na 2\n')).toEqual(['counter a{} = 1', 'gauge a{} = 2']);
  });

  test('a type holds for the samples of its name, above them in the body or elsewhere', () => {
    const notes = new Notes();
    const samples = 'hits_total 1\ndepth 2\nlatency_count 3\nlatency{quantile="0.5"} 4\ndepth_total 5\n';
    const types = '# TYPE hits counter\n# TYPE depth gauge\n# TYPE latency summary\n';
    const expected = ['counter hits_total{} = 1', 'gauge depth{} = 2', 'counter latency_count{} = 3'];
    const all = [...expected, 'gauge latency{quantile="0.5"} = 4', 'reading depth_total{} = 5'];
    expect(notes.read(types + samples)).toEqual(all);
    expect(notes.read(samples + types)).toEqual(all);
    expect(notes.read(samples)).toEqual(all.map((line) => line.replace(/^\w+/, 'reading')));
    expect(notes.read(`text{a="# TYPE depth counter"} 1\ndepth 2\n`)).toContain('reading depth{} = 2');
  });

  test('each sample of a series that a body repeats is passed on, at two times or at one', () => {
    const notes = new Notes();
    expect(notes.read('a 1 1000\na 2 2000\na 3 2000\na 4\n')).toEqual([
      'reading a{} = 1 at 1000',
      'reading a{} = 2 at 2000',
      'reading a{} = 3 at 2000',
      'reading a{} = 4',
    ]);
    // Seconds with a fraction, which has no exact form in binary.
    expect(notes.read('a 1 1.1\na 2 1700000000.123\n# EOF\n', 'openmetrics')).toEqual([
      'reading a{} = 1 at 1100',
      'reading a{} = 2 at 1700000000123',
    ]);
  });

  test('a series that the resolver refuses is counted in each body, and resolved once', () => {
    const notes = new Notes();
    for (let i = 0; i < 3; i++) {
      expect(notes.read('refused{a="1"} 1\nb 2\n')).toEqual([
        'reading b{} = 2',
        'bad by_name 1, line 1: refused{a="1"} 1',
      ]);
    }
    expect(notes.resolved).toBe(2);
  });

  test('the limits of samples, series and line length keep the first ones, and report the first excess line', () => {
    const notes = new Notes({ samples: 2, series: 3, lineCharacters: 20 });
    expect(notes.read(`a 1\nb 2\nc 3\nd 4\ne 5\n${'f'.repeat(30)} 1\n`)).toEqual([
      'reading a{} = 1',
      'reading b{} = 2',
      'bad sample_limit 1, line 3: c 3',
      'bad series_limit 2, line 4: d 4',
      `bad line_too_long 1, line 6: ${'f'.repeat(30)} 1`,
    ]);
    // Absent series make room for new ones.
    for (let i = 0; i < 8; i++) notes.read('c 1\n');
    expect(notes.parser.series).toBe(1);
    expect(notes.read('c 1\nd 2\n')).toEqual(['reading c{} = 1', 'reading d{} = 2']);
  });

  test('a body that was cut at a limit loses only its last line, and needs no end mark', () => {
    expect(new Notes().read('a 1\nb 22', 'openmetrics', true)).toEqual(['reading a{} = 1']);
    expect(new Notes().read('a 1\nb 22')).toEqual(['reading a{} = 1', 'reading b{} = 22']);
    expect(new Notes().read('a 1\nb 22', 'openmetrics')).toEqual([
      'reading a{} = 1',
      'bad line_unterminated 1, line 2: b 22',
      'bad eof_missing 1, line 0: ',
    ]);
  });

  test('a line that is not UTF-8 is left out, and all others are kept', () => {
    const body = Buffer.concat([Buffer.from('a{b="ü"} 1\nb{c="'), Buffer.from([0xff]), Buffer.from('"} 2\r\nc 3\r\n')]);
    expect(new Notes().read(body)).toEqual([
      'reading a{b="ü"} = 1',
      'reading c{} = 3',
      expect.stringContaining('bad not_utf8 1, line 2: b{c='),
    ]);
  });
});

describe('properties', () => {
  const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/);
  const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/);
  const written = fc.record({
    name,
    labels: fc.uniqueArray(fc.tuple(label, fc.string({ minLength: 1, maxLength: 12, unit: 'binary' })), {
      selector: ([key]) => key,
      maxLength: 4,
    }),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

  test('a valid exposition is read as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(written, { selector: (one) => JSON.stringify([one.name, one.labels]) }), (series) => {
        const body = series.map(
          ({ name: metric, labels, value }) =>
            `${metric}${labels.length === 0 ? '' : `{${labels.map(([key, text]) => `${key}="${escaped(text)}"`).join(',')}}`} ${value}\n`,
        );
        const found: unknown[] = [];
        const parser = new ExpositionParser<TypedSeries>({ resolve: (one) => one });
        const { bad } = parser.parse(`${body.join('')}# EOF\n`, 'openmetrics', (one, value) => {
          found.push({ name: one.name, labels: one.labels, value });
        });
        expect([...bad.keys()]).toEqual([]);
        expect(found).toEqual(series.map((one) => ({ ...one, value: one.value + 0 })));
      }),
    );
  });

  test('any bytes are parsed without a throw, and every line is a sample, a comment, empty or counted', () => {
    const piece = fc.constantFrom(
      'a',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '#',
      '# TYPE a counter\n',
      '1',
      'e',
      '.',
      '\r',
      '# EOF\n',
      'ä',
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join(''))),
    );
    fc.assert(
      fc.property(
        body,
        fc.constantFrom<ExpositionFormat>('text', 'openmetrics'),
        fc.boolean(),
        (bytes, format, isCut) => {
          const notes = new Notes();
          const first = notes.read(bytes, format, isCut);
          expect(notes.read(bytes, format, isCut)).toEqual(first);
          const text = Buffer.from(bytes).toString('utf8');
          const samples = text.split('\n').filter((line) => /^[ \t]*[^#\s]/.test(line)).length;
          expect(first.filter((line) => !line.startsWith('bad')).length).toBeLessThanOrEqual(samples);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a good line between garbage is accepted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
        const lines = new Notes().read(`${before}\nin_between_total{a="b"} 5\n${after}\n`);
        if (!/in_between_total/.test(before)) expect(lines).toContain('reading in_between_total{a="b"} = 5');
      }),
    );
  });
});
