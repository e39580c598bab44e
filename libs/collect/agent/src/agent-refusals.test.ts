import { expect, test } from '@jest/globals';
import { LocalRefusals } from '@tidemark/client';
import { Aggregator, DEFAULT_DOGSTATSD_LIMITS, type ServerStatus, StatsdSeriesTable } from '@tidemark/dogstatsd';
import { agentRefusals } from './agent-refusals.ts';

const COUNTS = new Aggregator(
  new StatsdSeriesTable(DEFAULT_DOGSTATSD_LIMITS, new Uint8Array(16)),
  { point: () => undefined, sketch: () => undefined, serviceCheck: () => undefined },
  DEFAULT_DOGSTATSD_LIMITS,
  1,
).counts();

function server(transport: ServerStatus['transport'], droppedByOs?: number): ServerStatus {
  const drops = droppedByOs === undefined ? {} : { droppedByOs };
  return { transport, address: 'a:1', listening: true, received: 1, receivedBytes: 1, ...drops };
}

test('datagrams that the operating system dropped are among the refusals, summed over the servers', () => {
  const dropped = new LocalRefusals();
  dropped.add('line_malformed', 2, 'no value');
  const servers = [server('udp', 3), server('udp', 4), server('unix-stream'), server('udp', 0)];
  expect(agentRefusals(dropped, COUNTS, [], servers).list).toEqual([
    { reason: 'line_malformed', count: 2, example: 'no value' },
    { reason: 'dropped_by_os', count: 7, example: 'the buffer of udp a:1 was full' },
  ]);
  expect(agentRefusals(new LocalRefusals(), COUNTS, [], [server('udp', 0)]).list).toEqual([]);
});
