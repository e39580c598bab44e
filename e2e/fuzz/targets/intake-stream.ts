import { Kind, type SendReply, SendRequest } from '@tidemark/contract';
import { metricId, partitionOf } from '@tidemark/model';
import { assert, type ErrorCode } from '@tidemark/ports';
import { IntakeBench, TENANT } from '../../../libs/ingest/intake/src/intake-bench.fixture.ts';
import type { IntakeSession } from '../../../libs/ingest/intake/src/intake-session.ts';
import { openStream } from '../../../libs/ingest/intake/src/open-streams.ts';
import { protobufGrowth } from '../growth.ts';
import { type FuzzTarget, holds, parsedLater } from '../target.ts';
import { DATA_FORMATS } from './data-formats.ts';
import { intakeRequests } from './messages.ts';

const CLIENT = Buffer.alloc(16, 9);
const REFUSED: readonly ErrorCode[] = [
  'invalid_argument',
  'resource_exhausted',
  'not_found',
  'out_of_range',
  'unavailable',
];

/** One message of a client, after its hello and its first definitions. */
function intakeStream(): FuzzTarget {
  let bench: IntakeBench | undefined;
  let session: IntakeSession | undefined;
  return {
    name: 'intake-stream',
    seeds: async () => {
      const share = DATA_FORMATS.find(({ name }) => name === 'share');
      const shares = (await share?.seeds()) ?? [];
      return [...intakeRequests(), ...shares.map((points) => batchOf(Buffer.from(points)))];
    },
    growth: protobufGrowth,
    open: async () => {
      bench = await IntakeBench.open();
      const opened = await bench.session();
      await bench.until(() => opened.isReady);
      session = opened;
      return async () => undefined;
    },
    run: async (input) => {
      assert(bench !== undefined && session !== undefined, 'the target is open');
      const message = decodedOrNone(input);
      if (message === undefined) return;
      const replies: SendReply[] = [];
      const stream = openStream(session, TENANT, (reply) => replies.push(reply));
      try {
        await stream.receive({ message: { $case: 'hello', value: { clientSession: CLIENT, clientName: 'fuzz' } } });
        const partition = partitionOf(session.maps.current, metricId(TENANT, 'm'));
        const series = [
          { metric: 'm', kind: Kind.GAUGE, tags: [] },
          { metric: 'm', kind: Kind.GAUGE, tags: ['a:b'] },
        ];
        const definitions = { mapEpoch: 1, partition, firstRef: 0, series };
        await bench.play(stream.receive({ message: { $case: 'definitions', value: definitions } }));
        await parsedLater(REFUSED, () => bench?.play(stream.receive(message)) ?? Promise.resolve());
        for (const { message: reply } of replies) holds(reply !== undefined, () => 'an empty reply');
      } finally {
        stream.close();
      }
    },
  };
}

function batchOf(points: Buffer): Buffer {
  const shares = [0, 1].map((partition) => ({ partition, points }));
  const value = { sequence: 0, mapEpoch: 1, floor: 0, shares, stampedMs: Number.MAX_SAFE_INTEGER };
  return Buffer.from(SendRequest.encode(SendRequest.fromPartial({ message: { $case: 'batch', value } })).finish());
}

/** The server refuses what the decoder refuses, before a stream sees it. */
function decodedOrNone(input: Buffer): SendRequest | undefined {
  try {
    return SendRequest.decode(input);
  } catch {
    return undefined;
  }
}

export const INTAKE_STREAM = intakeStream();
