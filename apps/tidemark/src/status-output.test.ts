import { describe, expect, test } from '@jest/globals';
import { StatusReply } from '@tidemark/contract';
import { gapText } from './printable.ts';
import { statusJson } from './status-json.ts';
import { formatStatus } from './status-output.ts';

const NOW_MS = 1_700_000_000_000;
const HERE = { offset: 90, committedOffset: 80, logNext: 100, watermarkMs: NOW_MS - 3000 };
const COVERED = { ...HERE, coveredWatermarkMs: NOW_MS - 3000 };

describe('the status', () => {
  test('it shows replicas and their problems when a partition has more than one', () => {
    const text = formatStatus(
      StatusReply.fromPartial({
        nowMs: NOW_MS,
        replicas: [
          { topic: 'points', partition: 0, process: 'a:1', state: 'live', seenMs: NOW_MS - 500, position: HERE },
          {
            ...{ topic: 'points', partition: 0, process: 'b:1', state: 'lost', seenMs: NOW_MS - 60_000 },
            error: 'unavailable: connection \u001b[2J refused',
            position: { ...HERE, offset: 70, halted: 'a damaged record' },
          },
          { topic: 'points', partition: 1, process: 'a:1', state: 'live' },
        ],
      }),
    );
    const lines = text.split('\n').map((line) => line.replaceAll(/\s+/g, ' '));
    expect(lines.find((line) => line.includes('a:1 │ live'))).toContain('points/0 │ a:1 │ live │ 90 │ 10 │ 10 │ 3');
    expect(lines.find((line) => line.includes('b:1'))).toContain('lost, seen 60.0 s ago │ 70 │ 30');
    expect(text).toContain('unavailable: connection \\u001b[2J refused; a damaged record');
    expect(text).toContain('points/0 in b:1: unavailable: connection');
    expect(text).toContain('points/1 in a:1: does not have the partition');
  });

  test('it names replicas that differ, with bucket, offset and hashes', () => {
    const hashes = [
      { process: 'a:1', offset: 42, hash: 'aa' },
      { process: 'b:1', offset: -1, hash: '' },
    ];
    const text = formatStatus(
      StatusReply.fromPartial({
        nowMs: NOW_MS,
        divergences: [
          { topic: 'points', partition: 3, bucketMs: NOW_MS, offset: 42, hashes },
          { topic: 'tags', partition: 1, offset: 256, hashes: [{ process: 'a:1', offset: 256, hash: 'bb' }] },
        ],
      }),
    );
    expect(text).toMatch(/replicas of points\/3 differ in the bucket that begins at 2023-11-14.22:13:20.*, offset 42/);
    expect(text).toContain('  a:1 aa at offset 42\n  b:1 has none\n');
    expect(text).toContain('replicas of tags/1 differ, offset 256');
  });

  test('it shows the counts that intakes report, and question marks for an intake that does not answer', () => {
    const session = (first: number) => Buffer.alloc(16, first);
    const own = { tenant: 'default', highestSequence: 6 };
    const clients = [
      ...[1, 3].map((each) => ({ ...own, clientSession: session(each) })),
      ...[2, 5].map((each) => ({ ...own, clientSession: session(each), latePoints: each - 1 })),
      { ...own, clientSession: session(4), frontierMs: NOW_MS - 5000 },
    ];
    const reported = {
      ...{ streams: 1, queuedBytes: 77, rejectedPoints: { timestamp_behind: 2, value_infinite: 1 } },
      clientNames: { [session(1).toString('hex')]: 'agent web-1' },
      formerClientNames: { [session(3).toString('hex')]: 'nightly job' },
      refused: [
        {
          ...{ stage: 'rejected', reason: 'timestamp_behind', count: 2, example: 'timestamp: 5 s\nago' },
          ...{ sinceMs: NOW_MS - 60_000, lastMs: NOW_MS - 3000 },
        },
        { stage: 'rejected', reason: 'value_infinite', count: 1 },
        { stage: 'left_out', reason: 'exemplar', count: 4, example: 'http_total' },
        { stage: 'violation', reason: 'body_too_large', count: 3 },
        { stage: 'client', client: 'agent web-1', reason: 'line_malformed', count: 9, example: 'no value' },
        { stage: 'client', client: 'agent web-1', reason: 'signedGauges', count: 2, example: 'queue:-0|g' },
      ],
    };
    const sessions = [
      { session: session(0xaa), process: 'intake-1', state: 'open', renewedMs: NOW_MS - 500, ...reported },
      { session: session(0xbb), process: 'intake-2', state: 'fenced' },
    ];
    const lines = (more: object[]) => {
      const reply = {
        nowMs: NOW_MS,
        points: [{ ...HERE, clients }],
        sessions: [...sessions, ...more],
        forOperator: true,
        threads: [
          { thread: 'main', windowMaxMs: 3.5, windowP99Ms: 1, maxMs: 130, p99Ms: 2, maxAtMs: NOW_MS - 9000 },
          { thread: 'stores 0', lateMs: 240, lateAtMs: NOW_MS - 5000 },
        ],
        memory: [
          {
            holder: 'process',
            parts: [
              { part: 'resident', bytes: 100 * 2 ** 20 },
              { part: 'peak', bytes: 150 * 2 ** 20 },
              { part: 'code', bytes: 20 * 2 ** 20 },
            ],
          },
          { holder: 'main', parts: [{ part: 'heap', bytes: 30 * 2 ** 20 }] },
          { holder: 'stores 0', parts: [{ part: 'databases', bytes: 2 ** 19 }] },
        ],
      };
      return formatStatus(StatusReply.fromPartial(reply))
        .split('\n')
        .map((line) => line.replaceAll(/[\s│]+/g, ' ').trim());
    };
    const known = lines([]);
    expect(known).toContain('main 3.5 ms 1 ms 130 ms 2 ms 9.0 s ago none');
    expect(known).toContain('stores 0 0 ms 0 ms 0 ms 0 ms 240 ms, 5.0 s ago');
    expect(known).toContain('process 100.0 resident 100.0, peak 150.0, code 20.0, unnamed 49.5');
    expect(known).toContain('main 30.0 heap 30.0');
    expect(known).toContain('stores 0 0.5 databases 0.5');
    expect(known).toContain('aaaaaaaa intake-1 open 500 ms ago 1 77 3');
    const by = 'by session aaaaaaaa (intake-1):';
    expect(known).toContain(
      `rejected ${by} timestamp_behind 2 since ${new Date(NOW_MS - 60_000).toISOString()}, the last 3.0 s ago, for example: timestamp: 5 s\\nago`,
    );
    expect(known).toContain(`rejected ${by} value_infinite 1`);
    expect(known).toContain(`left out ${by} exemplar 4, for example: http_total`);
    expect(known).toContain(`violations, seen ${by} body_too_large 3`);
    expect(known).toContain('refused by agent web-1: line_malformed 9 since its start, for example: no value');
    expect(known).toContain('noted by agent web-1: signedGauges 2 since its start, for example: queue:-0|g');
    expect(known).toContain('01010101 agent web-1 not declared 6 0 0');
    expect(known).toContain('04040404 not seen since the start 5.0 s ago 6 0');
    expect(known).toContain('2 earlier sessions of requests, from before the start: late points 5');
    expect(known.join('\n')).not.toContain('02020202');
    expect(known).toContain('03030303 nightly job, not connected not declared 6 0');
    const unknown = lines([
      { session: session(0xcc), process: 'intake-3', state: 'open', notTold: 'c:1: \u001b gone' },
    ]);
    expect(unknown).toContain('cccccccc intake-3 open ? ? ? ? ?');
    expect(unknown).toContain('counters of session cccccccc (intake-3) are unknown: c:1: \\u001b gone');
    expect(unknown).toContain('02020202 ? not declared 6 1');
  });

  test('it lists the checks, targets and servers of agents, and why some fail', () => {
    const sources = [
      { client: 'agent vm', name: 'cpu' },
      { client: 'agent vm', name: 'scrape a:9', problem: 'connect\nECONNREFUSED', sinceMs: NOW_MS - 600_000 },
    ];
    const sessions = [{ session: Buffer.alloc(16), process: 'intake', state: 'open', sources }];
    const text = formatStatus(StatusReply.fromPartial({ nowMs: NOW_MS, sessions }));
    const lines = text.split('\n').map((line) => line.replaceAll(/[\s│]+/g, ' ').trim());
    expect(lines).toContain('cpu agent vm works');
    expect(lines).toContainEqual(expect.stringMatching(/^scrape a:9 agent vm fails for 10.* min$/));
    const since = new Date(NOW_MS - 600_000).toISOString();
    expect(lines).toContain(`scrape a:9 of agent vm fails since ${since}: connect\\nECONNREFUSED`);
  });

  test('its JSON has ids in hex', () => {
    const session = { session: Buffer.alloc(16, 0xab), process: 'intake', clientNames: { ab: 'shop' } };
    const json = JSON.parse(statusJson(StatusReply.fromPartial({ nowMs: NOW_MS, sessions: [session] })));
    expect(json).toMatchObject({ nowMs: NOW_MS, sessions: [{ ...session, session: 'ab'.repeat(16) }] });
  });

  test('it names the parts for which nothing is known to be complete', () => {
    const head = (reply: object) => formatStatus(StatusReply.fromPartial({ nowMs: NOW_MS, ...reply })).split('\n')[0];
    const nothing = 'nothing is known to be complete: no';
    const errors = [{ part: 'points/1', code: 'unavailable', message: 'gone' }];
    expect(head({ points: [COVERED], errors })).toBe(`${nothing} answer from points/1`);
    const unmarked = { ...COVERED, partition: 2, watermarkMs: undefined, coveredWatermarkMs: undefined };
    expect(head({ points: [COVERED, unmarked] })).toBe(`${nothing} watermark yet in points/2`);
    expect(head({ points: [COVERED, unmarked], errors })).toBe(
      `${nothing} answer from points/1; no watermark yet in points/2`,
    );
    expect(head({})).toBe(`${nothing} watermark yet in any partition`);
  });

  test('it is complete as far as queries are, and says what holds it: a store of points, or of tags that lacks series', () => {
    const head = (...points: object[]) =>
      formatStatus(StatusReply.fromPartial({ nowMs: NOW_MS, latenessMs: 2000, points })).split('\n')[0];
    expect(head(COVERED, { ...COVERED, partition: 1 })).toMatch(/, 5\.0 s ago .*; held by points\/0, points\/1;/);
    const behind = { ...HERE, partition: 1, coveredWatermarkMs: NOW_MS - 60_000 };
    expect(head(COVERED, behind)).toMatch(/, 62\.0 s ago .*; held by tags\/1;/);
    expect(head(COVERED, { ...HERE, partition: 1 })).toBe(
      'nothing is known to be complete: no watermark yet in tags/1',
    );
  });

  test('it shows no replicas when each partition has one', () => {
    const one = { topic: 'points', partition: 0, process: 'a:1', state: 'live', position: HERE };
    expect(formatStatus(StatusReply.fromPartial({ nowMs: NOW_MS, replicas: [one] }))).not.toContain('replica');
  });
});

test('a gap is one sentence with the number of its records', () => {
  const gap = { topic: 'tags', partition: 1, offset: 7, reason: 'bit\nrot', records: 1 };
  expect(gapText(gap)).toBe('tags/1 has a gap of 1 record at offset 7: bit\\nrot');
  expect(gapText({ ...gap, records: 3 })).toBe('tags/1 has a gap of 3 records at offset 7: bit\\nrot');
  const unknown = 'tags/1 has a gap of an unknown number of records at offset 7: bit\\nrot';
  expect(gapText({ ...gap, records: 2 ** 40 - 7 })).toBe(unknown);
  const tags = [{ partition: 1, gaps: [gap] }];
  expect(formatStatus(StatusReply.fromPartial({ tags }))).toContain(gapText(gap));
});
