import { DEFAULT_QUERY_LIMITS, parseFilter, parseFormula, parseQuery, printQuery } from '@tidemark/query-language';
import { parseSettings, SETTINGS } from '@tidemark/settings';
import { ExpositionParser } from '../../../libs/collect/openmetrics/src/exposition-parser.ts';
import { type FuzzTarget, holds, parsed } from '../target.ts';

const QUERIES = [
  'avg:system.cpu.user{env:prod AND NOT host:a*} by {host}.rollup(max, 60)',
  'top(sum:requests{service IN (a,b), !env:dev}.as_rate().fill(linear, 300), 5, "mean", "desc")',
  '(100 * sum:a{*} / sum:b{*}), p95:latency{$env}, -abs(diff(count:c{x:"a b"}))',
  'max:m{*}.rollup(avg, daily, 6, "America/New_York"), avg(sum:a{*} by {host}) by {dc}',
];

const BOUND = new Map([['a', parseQuery('sum:m{*}').expressions[0]]]);

const query: FuzzTarget = {
  name: 'query',
  maxGrownBytes: DEFAULT_QUERY_LIMITS.queryLength,
  seeds: () => QUERIES.map((text) => Buffer.from(text)),
  tokens: [
    'avg:',
    'sum:',
    'p99:',
    '{',
    '}',
    '(',
    ')',
    ' by {',
    '.rollup(',
    '.fill(',
    '.as_count()',
    ' AND ',
    ' OR ',
    ' NOT ',
    ' IN (',
    '*',
    ',',
    '!',
    '"',
    "'",
    '\\',
    '$',
    '1e308',
    '-',
    '+',
    '/',
    'top(',
    'ewma_5(',
    'timeshift(',
    '.weighted()',
    'exclude_null(',
    'daily',
    'é',
    '\u{1f600}',
    '\u0000',
  ],
  run: (input) => {
    const text = input.toString();
    const read = parsed(['invalid_argument'], () => parseQuery(text));
    parsed(['invalid_argument'], () => parseFormula(text, BOUND));
    parsed(['invalid_argument'], () => parseFilter(text));
    if (read === undefined) return;
    const printed = printQuery(read);
    // A printed query names what the text leaves out, so it may be longer than the limit.
    const limits = { ...DEFAULT_QUERY_LIMITS, queryLength: printed.length };
    holds(printQuery(parseQuery(printed, limits)) === printed, () => `${printed} prints as another query`);
  },
};

const SCRAPES = [
  '# HELP a_total What.\n# TYPE a_total counter\na_total{x="1",y="a\\"b\\\\c\\n"} 1.5 1700000000000\na_total 2\n',
  '# TYPE h histogram\n# UNIT h seconds\nh_bucket{le="1"} 3 # {trace="x"} 0.5 1.5\nh_bucket{le="+Inf"} 4\nh_sum 5\nh_count 4\nh_created 1.5\n# EOF\n',
  'up 1\nnan NaN\ninf{a="b",} +Inf\n\n  spaced   { a = "b" }   3  \n',
];

const openmetrics: FuzzTarget = {
  name: 'openmetrics',
  seeds: () => SCRAPES.map((text) => Buffer.from(text)),
  tokens: [
    '# TYPE ',
    '# HELP ',
    '# UNIT ',
    '# EOF\n',
    '{',
    '}',
    '="',
    '",',
    '\\',
    '\n',
    ' NaN',
    ' +Inf',
    ' # {} 1',
    '_total',
    '_bucket',
    'le="',
    '0x1p3',
    '\u0000',
    '\u{10ffff}',
  ],
  run: (input) => {
    // A good line before the input stays good, for any input.
    const body = Buffer.concat([Buffer.from('good_line{a="b"} 7\n'), input]);
    for (const format of ['text', 'openmetrics'] as const) {
      let good = 0;
      const parser = new ExpositionParser({ resolve: ({ name }) => name });
      const report = parser.parse(body, format, (name, value) => {
        if (name === 'good_line' && value === 7) good++;
      });
      holds(good >= 1, () => 'a good line before the input was lost');
      holds(report.lines <= body.length, () => `${report.lines} lines of ${body.length} bytes`);
    }
  },
};

/** An unknown variable is compared with all settings, letter by letter. */
const MAX_VARIABLE_CHARACTERS = 100;

const settings: FuzzTarget = {
  name: 'settings',
  // An operator writes them, and each unknown word is compared with all settings.
  maxGrownBytes: 2048,
  maxBytes: 1024,
  seeds: () => [
    Buffer.from('{"http": {"port": 4270}, "listen": {"host": "127.0.0.1", "allowedHosts": ["a.b"]}}'),
    Buffer.from(JSON.stringify(Object.fromEntries(SETTINGS.map(({ group, name }) => [group, { [name]: 1 }])))),
    Buffer.from('{"scrape": {"targets": [{"url": "http://a:9100/metrics", "intervalMs": 10000}]}}'),
  ],
  tokens: [
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'null',
    'true',
    '1e999',
    '-1',
    '"__proto__":',
    '"http":',
    '"port":',
    '\\ud800',
  ],
  run: (input) => {
    const text = input.toString();
    parsed(['invalid_argument'], () => parseSettings({ file: { name: 'settings.json', text } }));
    const [variable = '', value = ''] = text.slice(0, MAX_VARIABLE_CHARACTERS).split('=', 2);
    parsed(['invalid_argument'], () => parseSettings({ environment: { [`TIDEMARK_${variable}`]: value } }));
    for (const { flag } of SETTINGS.filter(({ kind }) => kind === 'list')) {
      parsed(['invalid_argument'], () => parseSettings({ flags: { [flag]: text } }));
    }
  },
};

export const TEXT_FORMATS: readonly FuzzTarget[] = [query, openmetrics, settings];
