import { describe, expect, test } from '@jest/globals';
import type { MapDecision } from '@tidemark/contract';
import { evenMap, packSlots } from '@tidemark/model';
import { type Clock, type Log, type LogRecord, TidemarkError } from '@tidemark/ports';
import { ControlFollower } from './control-log.ts';
import { type ControlMessage, encodeControl } from './control-record.ts';

const SESSION = Buffer.alloc(16, 7);
const KEY_HASH = Buffer.alloc(32, 1);

const term = (value: number): ControlMessage => ({ $case: 'term', value: { term: value, process: 'p' } });
const registered: ControlMessage = { $case: 'registered', value: { session: SESSION, process: 'i' } };
const renewed: ControlMessage = { $case: 'renewed', value: { session: SESSION, deadLanes: [] } };
const key = (of: number): ControlMessage => ({
  $case: 'key',
  value: { term: of, tenant: 't', name: 'n', keyHash: KEY_HASH, scopes: ['send'], revoked: false },
});
function firstMap(of: number): ControlMessage {
  const map = evenMap(2);
  const wire: MapDecision['map'] = { epoch: map.epoch, partitions: 2, slots: packSlots(map) };
  return { $case: 'map', value: { term: of, expectedEpoch: 0, map: wire } };
}

const clock: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (_, task) => {
    const timer = setImmediate(task);
    return { cancel: () => clearImmediate(timer) };
  },
};

/** `control` in memory; the log has lost the records of `lost`. Record i was appended at second i. */
function logOf(messages: readonly ControlMessage[], lost: readonly number[]) {
  const log: Pick<Log, 'read' | 'bounds'> = {
    async read(_topic, _partition, from): Promise<LogRecord[]> {
      await new Promise((resolve) => setImmediate(resolve));
      if (lost.includes(from)) {
        let resumeAt = from;
        while (lost.includes(resumeAt)) resumeAt++;
        throw new TidemarkError('data_loss', `the record at offset ${from} is lost`, { offset: from, resumeAt });
      }
      const message = messages[from];
      if (message === undefined) return [];
      return [{ value: encodeControl(message), offset: from, appendTimeMs: from * 1000 }];
    },
    bounds: async () => ({ first: 0, next: messages.length }),
  };
  return log as Log;
}

async function follow(...log: Parameters<typeof logOf>) {
  const follower = new ControlFollower(logOf(...log), clock);
  await follower.start();
  await follower.stop();
  return follower.state;
}

/** Appends a checkpoint of a coordinator that could not read the records `lost`. */
async function checkpointed(messages: readonly ControlMessage[], lost: readonly number[]): Promise<ControlMessage[]> {
  const begun: ControlMessage[] = [...messages, { $case: 'checkpointBegun', value: { term: 1 } }];
  return [...begun, { $case: 'checkpoint', value: (await follow(begun, lost)).checkpoint() }];
}

describe('records of control that the log has lost', () => {
  test('do not stop a reader, whichever they are, and are listed until an operator passes them', async () => {
    const skip = { term: 1, topic: 'control', partition: 0, offset: 4, reason: 'seen' };
    const log = [term(1), firstMap(1), registered, renewed, renewed, key(1), renewed];
    for (let lost = 0; lost < log.length; lost++) {
      const state = await follow(log, [lost]);
      expect(state.nextOffset).toBe(log.length);
      expect(state.unknownLosses).toEqual([
        { offset: lost, records: 1, reason: `the record at offset ${lost} is lost` },
      ]);
    }
    const state = await follow([...log, { $case: 'skip', value: skip }], [4]);
    expect([state.lost.length, state.unknownLosses]).toEqual([1, []]);
  });

  test('that claimed a term are implied by a decision of that term', async () => {
    const state = await follow([term(1), term(2), firstMap(2), key(2)], [1]);
    expect([state.term, state.termOffset, state.map?.epoch, state.keys.size]).toEqual([2, 1, 1, 1]);
  });

  test('imply no term for a decision whose claim would have been read', async () => {
    const state = await follow([renewed, term(1), key(3)], [0]);
    expect([state.term, state.keys.size]).toEqual([1, 0]);
  });

  test('that registered a session are implied by its renewals, so that it can be fenced', async () => {
    expect((await follow([term(1), registered, renewed], [1])).sessions.size).toBe(1);
    expect((await follow([term(1), renewed], [])).sessions.size).toBe(0);
  });

  test('are forgotten at a checkpoint of a coordinator that has read them, and kept by one that has not', async () => {
    const start = [term(1), firstMap(1), key(1), renewed];
    const healed = await follow(await checkpointed(start, []), [2]);
    expect([healed.lost, healed.keys.size]).toEqual([[], 1]);
    const kept = await follow(await checkpointed(start, [2]), [2]);
    expect([kept.lost.map(({ offset }) => offset), kept.keys.size]).toEqual([[2], 0]);
  });

  test('after a checkpoint has begun stay listed when it counts', async () => {
    const start = await checkpointed([term(1), firstMap(1)], []);
    const log = [...start.slice(0, -1), key(1), renewed, ...start.slice(-1), renewed];
    const whole = await follow(log, [3]);
    const behind = await follow(log, [0, 1, 3]);
    for (const { lost, keys, checkpointOffset } of [whole, behind]) {
      expect([lost.map(({ offset }) => offset), keys.size, checkpointOffset]).toEqual([[3], 0, 2]);
    }
  });

  test('that were the newest checkpoint cost nothing while the one before it is there', async () => {
    const start = [term(1), firstMap(1), key(1)];
    const two = await checkpointed([...(await checkpointed(start, [])), renewed], []);
    const follower = new ControlFollower(logOf(two, []), clock);
    await follower.start();
    expect([follower.state.checkpointOffset, follower.previousCheckpointOffset]).toEqual([6, 3]);
    await follower.stop();
    const state = await follow(two, [0, 1, 2, 7]);
    expect([state.checkpointOffset, state.map?.epoch, state.keys.size]).toEqual([3, 1, 1]);
  });
});
