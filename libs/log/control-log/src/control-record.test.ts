import { describe, expect, test } from '@jest/globals';
import { type ControlMessage, decodeControl, encodeControl } from './control-record.ts';

const SESSION = Buffer.alloc(16, 7);
const LANE = { partition: 1, lane: 4 };

const CHECKPOINT = {
  ...{ term: 3, offset: 20, termOffset: -1, throughMs: 1_767_225_600_000 },
  maps: [{ epoch: 1, partitions: 2, slots: Buffer.from([0, 0, 1, 0]) }],
  sessions: [{ session: SESSION, process: 'i', state: 'fenced', renewedMs: 1000, endedMs: 2000 }],
  fences: [{ offset: 9, session: SESSION, lane: LANE, reason: 'why', completedMs: undefined }],
  deadLanes: [{ session: SESSION, ...LANE }],
  skips: [{ term: 3, topic: 'points', partition: 2, offset: 9, reason: 'broken' }],
  overBudget: [{ term: 3, tenant: 't', metric: 'm', limit: 5, over: true }],
  keys: [{ term: 3, tenant: 't', name: 'n', keyHash: Buffer.from([1]), scopes: ['send'], revoked: false }],
  mapsInForceMs: [],
  eras: [],
  lost: [],
  halts: [],
  ...{ keysRevoked: false, part: 0, parts: 0 },
};

/** Records as version 2 writes them. Readers must always accept them. */
const SET_BACK = { term: 1, throughMs: 1_700_000_020_000, decidedMs: 1_700_000_000_000, afterLoss: false };
const GOLDEN: readonly (readonly [message: ControlMessage, hex: string])[] = [
  [
    { $case: 'registered', value: { session: SESSION, process: 'i' } },
    '54444d43038dcefe910a150a1007070707070707070707070707070707120169',
  ],
  [
    { $case: 'renewed', value: { session: SESSION, deadLanes: [LANE] } },
    '54444d43036f521d3812180a1007070707070707070707070707070707120408011004',
  ],
  [{ $case: 'ended', value: { session: SESSION } }, '54444d430359d9cc4c1a120a1007070707070707070707070707070707'],
  [
    {
      $case: 'map',
      value: { term: 1, expectedEpoch: 0, map: { epoch: 1, partitions: 2, slots: Buffer.from([0, 0, 1, 0]) } },
    },
    '54444d4303384a1d6e220e08011a0a080110021a0400000100',
  ],
  [
    { $case: 'fence', value: { term: 2, session: SESSION, lane: LANE, reason: 'why' } },
    '54444d4303223366582a1f08021210070707070707070707070707070707071a04080110042203776879',
  ],
  [
    { $case: 'skip', value: { term: 1, topic: 'points', partition: 2, offset: 9, reason: 'broken' } },
    '54444d4303ef6a3449321608011206706f696e7473180220122a0662726f6b656e',
  ],
  [
    { $case: 'budget', value: { term: 1, tenant: 't', metric: 'm', limit: 5, over: true } },
    '54444d43036eb0bca23a0c08011201741a016d20052801',
  ],
  [
    {
      $case: 'key',
      value: { term: 1, tenant: 't', name: 'n', keyHash: Buffer.from([1]), scopes: ['send'], revoked: false },
    },
    '54444d4303372fa0bf421108011201741a016e2201012a0473656e64',
  ],
  [{ $case: 'term', value: { term: 300, process: 'p' } }, '54444d4303241633e14a0608ac02120170'],
  [
    { $case: 'setBack', value: { ...SET_BACK, repeats: undefined } },
    '54444d4303b1c8b06162140801110000625bfebc78421900008056febc7842',
  ],
  [
    {
      $case: 'setBack',
      value: { ...SET_BACK, afterLoss: true, repeats: { offset: 7, startMs: 1_700_000_000_000, aheadMs: 20_000 } },
    },
    '54444d430317fb720f622c0801110000625bfebc78421900008056febc784220012a14080e1100008056febc784219000000000088d340',
  ],
  [
    { $case: 'halt', value: { term: 1, topic: 'points', partition: 3, offset: 7, halted: true } },
    '54444d4303128896026a1008011206706f696e74731803200e2801',
  ],
  [{ $case: 'checkpointBegun', value: { term: 3 } }, '54444d430356f0cca372020803'],
  [
    { $case: 'fenceCompleted', value: { term: 1, session: SESSION, lane: undefined } },
    '54444d43039eb4f0ea52140801121007070707070707070707070707070707',
  ],
  [
    {
      $case: 'checkpoint',
      value: {
        ...{ term: 1, offset: 2, termOffset: 0, throughMs: 5, sessions: [], fences: [], deadLanes: [], skips: [] },
        ...{
          overBudget: [],
          keys: [],
          maps: [1, 2].map((epoch) => ({ epoch, partitions: 1, slots: Buffer.alloc(0) })),
        },
        mapsInForceMs: [Number.NEGATIVE_INFINITY, 2005],
        eras: [{ offset: 1, startMs: 4, aheadMs: 20_000 }],
        lost: [],
        halts: [],
        ...{ keysRevoked: false, part: 0, parts: 0 },
      },
    },
    '54444d4303e27365ba5a41080110042100000000000014402a04080110012a04080210016210000000000000f0ff0000000000549f406a14080211000000000000104019000000000088d340',
  ],
  [
    { $case: 'checkpoint', value: CHECKPOINT },
    '54444d4303acff8f3d5abe0108031028180121000080aa6db779422a0a080110021a0400000100322f0a10070707070707070707070707070707071201691a0666656e636564210000000000408f40290000000000409f403a1f08121210070707070707070707070707070707071a0408011004220377687942160a1007070707070707070707070707070707100118044a1608031206706f696e7473180220122a0662726f6b656e520c08031201741a016d200528015a1108031201741a016e2201012a0473656e64',
  ],
];

describe('a control record', () => {
  test.each(GOLDEN)('golden bytes of version 3: $$case', (message, hex) => {
    expect(encodeControl(message).toString('hex')).toBe(hex);
    expect(decodeControl(Buffer.from(hex, 'hex'))).toEqual(message);
  });
});
