import { expect, test } from '@jest/globals';
import { type MatchReply, MatchRequest } from '@tidemark/contract';
import { DAY_MS, SERIES_CLASS, seriesName } from '@tidemark/model';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { TagRecordWriter } from '@tidemark/tag-records';
import fc from 'fast-check';
import { TagPartition } from './tag-partition.ts';
import { type Fact, recordOf } from './testing/facts.ts';
import { commitRenumbered } from './testing/turns.ts';

const FIRST_DAY = 100;
const METRICS = ['a', 'b'];
/** Each question is about a metric, a filter, a grouping and days before the last. */
const QUESTIONS = METRICS.flatMap((metric) =>
  [0, 3].flatMap((days) =>
    [undefined, { filter: { $case: 'tag' as const, value: 'zone:1' } }].map((filter) => ({ metric, days, filter })),
  ),
);

type Step =
  | {
      readonly type: 'facts';
      readonly facts: readonly (readonly [metric: number, n: number, ago: number, isNamed: boolean])[];
    }
  | { readonly type: 'day' }
  | { readonly type: 'statement'; readonly metric: number; readonly intervalMs: number }
  | { readonly type: 'skip' }
  | { readonly type: 'commit' }
  | { readonly type: 'reopen' };

const nat = (max: number) => fc.nat({ max });
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('facts' as const),
      facts: fc.array(fc.tuple(nat(1), nat(7), nat(4), fc.boolean()), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('day' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('statement' as const),
      metric: nat(1),
      intervalMs: fc.constantFrom(1000, 3 * DAY_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('skip' as const, 'commit' as const, 'reopen' as const) }) },
);

/** A store that takes steps. Each opening has a name of its own. */
class Store {
  readonly #keyValue = new MemoryKeyValue();
  partition: TagPartition | undefined;
  #openings = 0;
  day = FIRST_DAY;

  async open(): Promise<void> {
    this.partition = await TagPartition.open({
      keyValue: this.#keyValue,
      retentionDays: 3,
      instance: Uint8Array.of(this.#openings++),
      renumbering: { deadSeries: 1, batchBytes: 100 },
    });
  }

  async take(step: Step): Promise<void> {
    const { partition } = this;
    if (partition === undefined) throw new Error('open it first');
    if (step.type === 'day') this.day++;
    else if (step.type === 'skip') partition.skip('lost', { records: 1 });
    else if (step.type === 'commit') await commitRenumbered(partition);
    else if (step.type === 'reopen') {
      await commitRenumbered(partition);
      await partition.stop();
      await this.open();
    } else partition.apply(this.#recordOf(step, partition.nextOffset));
  }

  #recordOf(step: Step, offset: number): LogRecord {
    if (step.type === 'statement') {
      const writer = new TagRecordWriter();
      writer.addStatement('acme', METRICS[step.metric], 'user', { intervalMs: step.intervalMs });
      return { offset, appendTimeMs: this.day * DAY_MS, value: writer.take() };
    }
    const facts = step.type === 'facts' ? step.facts : [];
    const named = facts.map(([metric, n, ago, isNamed]): Fact => {
      const tags = [`n:${n}`, `zone:${n % 3}`];
      return { name: seriesName('acme', METRICS[metric], SERIES_CLASS.reading, tags), day: this.day - ago, isNamed };
    });
    return recordOf(offset, named, this.day);
  }

  match(question: (typeof QUESTIONS)[number], knownVersion?: Buffer): MatchReply {
    const { metric, days, filter } = question;
    const range = { fromMs: (this.day - days) * DAY_MS, toMs: (this.day + 1) * DAY_MS };
    const asked = MatchRequest.create({ tenant: 'acme', metric, filter, groupBy: ['zone'], ...range });
    const reply = this.partition?.match({ ...asked, knownVersion });
    if (reply === undefined) throw new Error('open it first');
    return reply;
  }
}

test('groups whose version is known are left out exactly while they are the same', async () => {
  let unchanged = 0;
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 60 }), async (steps) => {
      const store = new Store();
      await store.open();
      const known = new Map<string, MatchReply>();
      for (const step of steps) {
        await store.take(step);
        for (const question of QUESTIONS) {
          const key = JSON.stringify([question, store.day]);
          const before = known.get(key);
          const whole = store.match(question);
          const reply = store.match(question, before?.version);
          known.set(key, whole);
          expect(whole.unchanged).toBe(false);
          if (before === undefined || !reply.unchanged) {
            expect(reply).toEqual(whole);
            if (before !== undefined) changed++;
            continue;
          }
          unchanged++;
          expect({ ...reply, groups: before.groups, classes: before.classes, unchanged: false }).toEqual(whole);
        }
      }
    }),
  );
  expect(unchanged).toBeGreaterThan(1000);
  expect(changed).toBeGreaterThan(100);
});

test('a store without a name of its opening has no versions', async () => {
  const partition = await TagPartition.open({ keyValue: new MemoryKeyValue() });
  const name = seriesName('acme', 'a', SERIES_CLASS.reading, ['n:1']);
  partition.apply(recordOf(0, [{ name, day: FIRST_DAY, isNamed: true }]));
  const asked = { tenant: 'acme', metric: 'a', fromMs: FIRST_DAY * DAY_MS, toMs: (FIRST_DAY + 1) * DAY_MS };
  const reply = partition.match(MatchRequest.create({ ...asked, knownVersion: Buffer.alloc(0) }));
  expect(reply.version).toBeUndefined();
  expect(reply.groups).toHaveLength(1);
});
