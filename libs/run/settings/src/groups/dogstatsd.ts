import { DEFAULT_DOGSTATSD_LIMITS } from '@tidemark/dogstatsd/limits';
import * as z from 'zod';
import { fraction, GIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const D = DEFAULT_DOGSTATSD_LIMITS;

/** What lines of StatsD mean, where its clients and those of DogStatsD differ. */
export const STATSD = z.strictObject({
  gaugeDeltas: yesOrNo(
    false,
    'Adds a gauge with a sign (`+5`, `-5`) to the last value, as StatsD does. Otherwise it sets the gauge, as DogStatsD does, and the status counts such values (`signedGauges`).',
  ),
});

/** DogStatsD: its addresses and its bounds. */
export const DOGSTATSD = z.strictObject({
  port: whole(8125, 'port', 0, 65_535, 'UDP port on loopback, 127.0.0.1 and ::1; 0: any free port.', { isMain: true }),
  streamPath: text('', 107, 'Path of a Unix stream socket; empty: none.'),
  datagramPath: text('', 107, 'Path of a Unix datagram socket, where `unix-dgram` is installed; empty: none.'),
  receiveBufferBytes: whole(4 * MIB, 'bytes', 4096, GIB, 'Receive buffer for UDP that is requested from the system.'),
  datagramBytes: whole(D.datagramBytes, 'bytes', 512, 65_535, 'One datagram, or one length-prefixed frame.'),
  lineBytes: whole(D.lineBytes, 'bytes', 64, MIB, 'One line of a newline-framed stream.'),
  valuesPerLine: whole(D.valuesPerLine, 'values', 1, 65_535, 'Values of one line (`name:1:2:3|h`).'),
  sampleRate: fraction(D.sampleRate, 'rate', 0, 1, 'Minimum sample rate.'),
  series: whole(D.series, 'series', 1, 10_000_000, 'Series active in one flush interval.'),
  cachedSpellings: whole(D.cachedSpellings, 'spellings', 1, 10_000_000, 'Cached spellings of series.'),
  cachedSpellingBytes: whole(D.cachedSpellingBytes, 'bytes', 1024, 4 * GIB, 'Size of the cached spellings of series.'),
  setMembers: whole(D.setMembers, 'members', 1, 100_000_000, 'Distinct members of all sets in one flush interval.'),
  setMemberBytes: whole(D.setMemberBytes, 'bytes', 1, 65_535, 'One member of a set.'),
  exactValues: whole(
    D.exactValues,
    'values',
    1,
    1_000_000,
    'Values that a histogram keeps exactly in one flush interval.',
  ),
  sketches: whole(D.sketches, 'series', 1, 1_000_000, 'Series with a sketch in one flush interval.'),
  keptEvents: whole(D.keptEvents, 'events', 0, 1_000_000, 'Latest events that are kept for inspection.'),
  keptServiceChecks: whole(
    D.keptServiceChecks,
    'checks',
    0,
    1_000_000,
    'Latest service checks that are kept for inspection.',
  ),
  connections: whole(D.connections, 'connections', 1, 65_535, 'Open connections of the stream socket.'),
});
