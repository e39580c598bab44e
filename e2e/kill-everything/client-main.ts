// The process of a client under load: records values that identify their point, and writes their outcome to its ledger.
import { randomInt } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { Client, GrpcIntakeConnector } from '@tidemark/client';
import { holdProcess, LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import type { LoadClientSettings } from './client-settings.ts';
import type { LedgerLine } from './ledger-line.ts';
import { RecordingConnector } from './recording-connector.ts';
import { CLIENT_SETTINGS, METRICS, SLOTS, TICK_MS, VALUE_LIMIT } from './settings.ts';

const POLL_MS = 10;
const CLIENTS = 8;

const settings: LoadClientSettings = JSON.parse(process.argv[2]);
const file = openSync(settings.ledgerFile, 'a');
const write = (line: LedgerLine): void => {
  writeSync(file, `${JSON.stringify(line)}\n`);
};
// Ends the incomplete last line of a killed run.
writeSync(file, '\n');
write({ type: 'begin', atMs: Date.now() });

const { keepaliveMs, ...options } = CLIENT_SETTINGS;
const client = await Client.open(
  {
    connector: new RecordingConnector(new GrpcIntakeConnector({ keepaliveMs }), write),
    addresses: settings.addresses,
    clock: new SystemClock(),
    random: new SystemRandom(),
    hold: holdProcess,
    disk: new LocalDisk(settings.spoolFolder),
  },
  { ...options, name: settings.name, flushIntervalMs: 0 },
);

let lastTick = Math.floor(Date.now() / TICK_MS);
const load = setInterval(() => {
  const timeMs = Date.now();
  const tick = Math.floor(timeMs / TICK_MS);
  // A clock that is set back must not give a series a second point in a step.
  if (tick <= lastTick) return;
  lastTick = tick;
  const slot = tick % SLOTS;
  const values = METRICS.map(({ kind }) => {
    return kind === 'counter' ? timeMs * CLIENTS + settings.index : randomInt(1, VALUE_LIMIT);
  });
  write({ type: 'record', timeMs, slot, values });
  const tags = [`client:${settings.name}`, `slot:${slot}`];
  METRICS.forEach(({ name, kind }, i) => {
    client[kind](name, values[i], tags, timeMs);
  });
  client.flush();
}, POLL_MS);

process.once('SIGTERM', async () => {
  clearInterval(load);
  await client.settled();
  write({ type: 'end', stats: client.stats() });
  await client.close();
  process.exit(0);
});
