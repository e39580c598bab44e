import { connect } from '@tidemark/client';
import type { ClientSettings, FromClient, ToClient } from './client-messages.ts';

/** A client in a process of its own, so that a test can kill it. */
const settings: ClientSettings = JSON.parse(process.argv[2]);
const client = await connect({
  name: 'spooling client',
  ...settings,
  flushIntervalMs: 0,
  backoffMs: 20,
  maxBackoffMs: 100,
});
process.on('message', (message: ToClient) => {
  if (message.type === 'count') {
    for (const { metric, value, tags, timestampMs } of message.counts) {
      client.count(metric, value ?? Number.NaN, tags, timestampMs);
    }
    client.flush();
  }
  process.send?.({ type: 'stats', stats: client.stats() } satisfies FromClient);
});
// A test that is gone leaves nothing running.
process.on('disconnect', () => process.exit(1));
