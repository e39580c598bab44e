import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DAY_MS } from '@tidemark/model';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import {
  openProtocols,
  PROTOCOL_NAMES,
  type Protocol,
  type ProtocolName,
  type SentSeries,
} from './process/point-protocols.ts';
import { TestHarness } from './process/test-harness.ts';

// docs/point-rules.md has the same table for readers: change both.

const NOW_MS = Math.floor(Date.now() / 1000) * 1000 - 2000;
const ALL_KEPT: Expectation = { stored: 1 };

interface Expectation {
  /** Number of stored points. */
  readonly stored: number;
  /** Largest stored value. */
  readonly max?: number;
  /** Tags that the series has, among those of its protocol. */
  readonly tags?: readonly string[];
}

interface Rule {
  readonly rule: string;
  /** Appended to the metric's name. */
  readonly name?: string;
  readonly kind?: SentSeries['kind'];
  readonly tags?: SentSeries['tags'];
  /** Time relative to now, and value. */
  readonly points?: readonly (readonly [shiftMs: number, value: number])[];
  /** What becomes of it: the reason of its refusal, or what is stored. */
  readonly outcome: string | Expectation;
  /** Protocols that cannot send it, or that treat it otherwise; docs/point-rules.md says why. */
  readonly except?: readonly ProtocolName[];
}

const tagsOf = (count: number, bytes: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`k${i}`, 'v'.repeat(bytes)]);
const tag = (key: string, value: string): Pick<Rule, 'tags'> => ({ tags: [[key, value]] });
const kept = (...tags: string[]): Expectation => ({ ...ALL_KEPT, tags });

const RULES: readonly Rule[] = [
  { rule: 'a name of 200 bytes', name: 'm'.repeat(150), outcome: ALL_KEPT },
  { rule: 'a name above 200 bytes', name: 'm'.repeat(201), outcome: 'metric_too_long' },
  { rule: 'a control character in a name', name: '\u0001', outcome: 'metric_control_character' },
  { rule: 'characters of any script in a name', name: 'größe', outcome: ALL_KEPT },
  { rule: 'a value of 4 KiB', ...tag('k', 'v'.repeat(4096)), outcome: kept(`k:${'v'.repeat(4096)}`) },
  { rule: 'a tag above 4,352 bytes', ...tag('k', 'v'.repeat(4351)), outcome: 'tag_too_long' },
  { rule: 'tab, control, U+FFFD in a value', ...tag('k', 'a\tb\u0001\ufffd'), outcome: kept('k:a\tb\u0001\ufffd') },
  { rule: 'a line feed in a value', ...tag('k', 'a\nb'), outcome: kept('k:a\nb'), except: ['DogStatsD'] },
  { rule: 'a colon in a value', ...tag('k', '[::1]:80'), outcome: kept('k:[::1]:80') },
  {
    rule: 'a tag twice',
    tags: [
      ['k', 'v'],
      ['k', 'v'],
    ],
    outcome: kept('k:v'),
    except: ['remote write', 'scrape'],
  },
  { rule: 'more than 100 tags', tags: tagsOf(101, 1), outcome: 'too_many_tags', except: ['remote write'] },
  { rule: 'more than 32 KiB of tags', tags: tagsOf(10, 4000), outcome: 'series_too_long' },
  { rule: 'NaN', points: [[0, Number.NaN]], outcome: 'value_nan', except: ['Datadog', 'remote write', 'scrape'] },
  { rule: 'an infinite gauge', points: [[0, 1 / 0]], outcome: { stored: 1, max: 1 / 0 } },
  {
    rule: 'an infinite amount',
    kind: 'total',
    points: [[0, 1 / 0]],
    outcome: 'value_infinite',
    except: ['remote write'],
  },
  {
    rule: 'an infinite counter',
    kind: 'counter',
    points: [[0, 1 / 0]],
    outcome: 'value_infinite',
    except: ['remote write', 'Datadog', 'DogStatsD'],
  },
  { rule: 'more than 10 minutes ahead', points: [[60 * 60_000, 1]], outcome: 'timestamp_ahead' },
  { rule: 'more than 7 days behind', points: [[-8 * DAY_MS, 1]], outcome: 'timestamp_behind' },
  {
    rule: 'one series at two times',
    points: [
      [-2000, 1],
      [0, 2],
    ],
    outcome: { stored: 2, max: 2 },
  },
  {
    rule: 'one series twice at one time',
    points: [
      [0, 5],
      [0, 3],
    ],
    outcome: { stored: 1, max: 3 },
  },
];

const harness = new TestHarness();
let platform: PlatformUnderTest;
let protocols: Record<ProtocolName, Protocol>;

beforeAll(async () => {
  platform = await harness.platform();
  protocols = await openProtocols(harness, platform);
  // All at once: an agent sends, scrapes and reports at its own pace.
  await Promise.all(
    PROTOCOL_NAMES.map((protocol) =>
      protocols[protocol].send(rulesOf(protocol).map((rule) => seriesOf(rule, protocol))),
    ),
  );
}, 120_000);
afterAll(() => harness.clear());

function rulesOf(protocol: ProtocolName): readonly Rule[] {
  return RULES.filter(({ except = [] }) => !except.includes(protocol));
}

function seriesOf(rule: Rule, protocol: ProtocolName): SentSeries {
  const { name = '', kind = 'gauge', tags = [], points = [[0, 1]] } = rule;
  return {
    metric: metricOf(rule, protocol) + name,
    kind,
    tags,
    points: points.map(([shift, value]) => [NOW_MS + shift, value]),
  };
}

/** Each protocol has metrics of its own. */
function metricOf(rule: Rule, protocol: ProtocolName): string {
  return `rule${RULES.indexOf(rule)}_${PROTOCOL_NAMES.indexOf(protocol)}_`;
}

describe.each(PROTOCOL_NAMES)('through the protocol %s', (protocol) => {
  test('what breaks a rule is refused, each for its reason, and nothing else is', async () => {
    const refused = rulesOf(protocol).filter(({ outcome }) => typeof outcome === 'string');
    const expected = new Set(refused.map(({ outcome }) => outcome));
    const found = await eventually(`${expected.size} reasons`, async () => {
      const reasons = await protocols[protocol].reasons();
      return reasons.size >= expected.size && reasons;
    });
    expect([...found].sort()).toEqual([...expected].sort());
    const stored = await platform.metrics();
    const prefixes = refused.map((rule) => metricOf(rule, protocol));
    expect(stored.filter((metric) => prefixes.some((prefix) => metric.startsWith(prefix)))).toEqual([]);
  });

  test('all else is stored as it was sent', async () => {
    for (const rule of rulesOf(protocol)) {
      if (typeof rule.outcome === 'string') continue;
      const { stored, max, tags } = rule.outcome;
      const { metric } = seriesOf(rule, protocol);
      const count = () => values(`sum:"${metric}"{*}.rollup(count, 600)`);
      // The agents send and scrape at their own pace.
      await eventually(`${rule.rule} through ${protocol}`, async () => sum(await count()) >= stored);
      expect([rule.rule, sum(await count())]).toEqual([rule.rule, stored]);
      if (max !== undefined) expect(Math.max(...(await values(`max:"${metric}"{*}.rollup(max, 600)`)))).toBe(max);
      if (tags !== undefined) expect(await platform.tags(metric)).toEqual(expect.arrayContaining([...tags]));
    }
  });
});

async function values(query: string): Promise<number[]> {
  const { series } = await platform.query(query, NOW_MS - 600_000, NOW_MS + 10_000);
  return series.flatMap((one) => one.values).filter((value) => !Number.isNaN(value));
}

function sum(all: readonly number[]): number {
  return all.reduce((a, b) => a + b, 0);
}

test('the status has each reason with an example, from intakes, agents and programs', async () => {
  const expected = RULES.flatMap(({ outcome }) => (typeof outcome === 'string' ? [outcome] : []));
  const refused = await eventually('the reports of all clients', async () => {
    const all = (await platform.status()).sessions.flatMap((session) => session.refused);
    const clients = new Set(all.map(({ client }) => client));
    return ['', 'library', 'agent statsd-host', 'agent scrape-host'].every((client) => clients.has(client)) && all;
  });
  expect(refused.map(({ reason }) => reason)).toEqual(expect.arrayContaining(expected));
  expect(refused.filter(({ example, count }) => example === '' || count < 1)).toEqual([]);
});
