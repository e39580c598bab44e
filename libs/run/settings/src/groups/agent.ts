import { DEFAULT_CLIENT_OPTIONS } from '@tidemark/client/options';
import { DEFAULT_KAFKA_INSTANCE, DEFAULT_REDIS_INSTANCE } from '@tidemark/integrations/instances';
import { DAY_MS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { DEFAULT_SCRAPE_TARGET } from '@tidemark/openmetrics/scrape-target';
import * as z from 'zod';
import { addressTexts } from '../list-settings.ts';
import { choice, GIB, items, KIB, MIB, needed, text, texts, whole, yesOrNo } from '../setting.ts';

const C = DEFAULT_CLIENT_OPTIONS;
const T = DEFAULT_SCRAPE_TARGET;
const R = DEFAULT_REDIS_INSTANCE;
const K = DEFAULT_KAFKA_INSTANCE;

/** The agent: in the process of `tidemark start`, or in its own. */
export const AGENT = z.strictObject({
  enabled: yesOrNo(true, 'With `tidemark start`: collects metrics of this host and DogStatsD in the same process.', {
    flag: 'no-agent',
    isNegated: true,
    isMain: true,
  }),
  addresses: addressTexts(
    100,
    255,
    'Intakes that an agent of its own sends to, `host:port`, tried in turn; none: `cluster.intakes`, or the intake on this host.',
    { isMain: true },
  ),
  keyFile: text('', 4096, 'File with the key that an agent of its own sends with; empty: what `TIDEMARK_KEY` has.'),
  spoolFolder: text(
    '',
    4096,
    'Folder of unsettled batches, used by one agent at a time; empty: `agent` in `data.folder`.',
  ),
  tags: texts(100, 200, 'Tags of all series that the agent sends.'),
  statusPort: whole(
    4269,
    'port',
    0,
    65_535,
    'Port of `/status`, `/healthz` and `/readyz` of an agent of its own, on `listen.host`; 0 takes a free one.',
  ),
  hostname: text('', 255, 'Tag `host:` of the series of this host; empty: the name that the system gives.'),
  flushIntervalMs: whole(1000, 'ms', 100, 60_000, 'How often the agent sends.'),
  checkWaitMs: whole(250, 'ms', 1, 10_000, 'How long a flush waits for checks; slower ones go out with the next.'),
  seriesExpiryMs: whole(300_000, 'ms', 1000, DAY_MS, 'A series not seen for this long is forgotten.'),
  pendingReadings: whole(100_000, 'readings', 100, 10_000_000, 'Readings of checks that wait for a flush.'),
  maxSeries: whole(1_000_000, 'series', 100, 100_000_000, 'Series that the agent may use.'),
  memoryBytes: whole(64 * MIB, 'bytes', MIB, 16 * GIB, 'Unsettled batches in memory.'),
  spoolBytes: whole(GIB, 'bytes', MIB, 1024 * GIB, 'Unsettled batches on disk; beyond, the oldest are given up.'),
  spoolFileBytes: whole(8 * MIB, 'bytes', 64 * KIB, GIB, 'A spool file is followed by the next at this size.'),
  giveUpMs: whole(
    C.giveUpMs,
    'ms',
    1000,
    PROTOCOL_TIMES.giveUpMs,
    'A batch sent and not acknowledged for this long is given up as indeterminate.',
  ),
  replyTimeoutMs: whole(C.replyTimeoutMs, 'ms', 100, 3_600_000, 'A batch without an answer is sent again after this.'),
  greetingTimeoutMs: whole(
    C.greetingTimeoutMs,
    'ms',
    100,
    600_000,
    'A stream that is not greeted within this is abandoned.',
  ),
  backoffMs: whole(C.backoffMs, 'ms', 1, 60_000, 'First pause before a new try; it doubles, with jitter.'),
  maxBackoffMs: whole(C.maxBackoffMs, 'ms', 1, 3_600_000, 'Longest such pause.'),
  replayStreams: whole(C.replayStreams, 'streams', 1, 1000, 'Sessions of earlier runs replayed at the same time.'),
  closeTimeoutMs: whole(
    2000,
    'ms',
    0,
    600_000,
    'How long a stop waits for acknowledgements; the spool keeps the rest.',
  ),
});

/** Whom the agent asks for metrics in the formats of Prometheus and OpenMetrics. */
export const SCRAPE = z.strictObject({
  targets: items(
    {
      url: needed(4096, 'What to GET, `http://…/metrics` or `https://…`.'),
      instance: text('', 190, 'Tag `instance:` of its series; empty: host and port of the URL.'),
      tags: texts(20, 200, 'Further tags of its series.'),
      prefix: text('', 100, 'Put before the names of its metrics.'),
      intervalMs: whole(T.intervalMs, 'ms', 1000, 3_600_000, 'How often.'),
      timeoutMs: whole(T.timeoutMs, 'ms', 10, 600_000, 'How long a whole answer may take; the interval at most.'),
      bodyBytes: whole(T.bodyBytes, 'bytes', KIB, GIB, 'An answer, unpacked; the rest of a longer one is left out.'),
      samples: whole(T.samples, 'samples', 1, 10_000_000, 'Samples of an answer; further ones are left out.'),
      series: whole(T.series, 'series', 1, 10_000_000, 'Series in its last answers; new ones beyond are left out.'),
      redirects: whole(T.redirects, 'redirects', 0, 20, 'Redirects that are followed, on the same host.'),
      authorizationFile: text('', 4096, 'File with the value of the header `Authorization`, such as `Bearer …`.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
    },
    1000,
    'Targets to scrape.',
  ),
});

/** Services whose state the agent asks for. */
export const INTEGRATIONS = z.strictObject({
  redis: items(
    {
      address: needed(255, '`host:port`, or the path of a Unix socket.'),
      tags: texts(20, 200, 'Further tags of its metrics.'),
      intervalMs: whole(R.intervalMs, 'ms', 1000, 3_600_000, 'How often.'),
      timeoutMs: whole(R.timeoutMs, 'ms', 10, 600_000, 'How long a whole run may take; the interval at most.'),
      user: text('', 255, 'User of its ACLs, who needs `+info`; empty: the default user.'),
      passwordFile: text('', 4096, 'File with the password.'),
      tls: yesOrNo(false, 'Speak TLS to it.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
      commandStats: yesOrNo(false, 'Also calls and times of each command.'),
    },
    100,
    'Redis servers to look at.',
  ),
  kafka: items(
    {
      brokers: texts(100, 255, 'Brokers to begin with, `host:port`; the cluster tells the others. One is needed.'),
      topics: texts(1000, 249, "Topics to look at; none: all but Kafka's own."),
      groups: texts(100, 249, 'Consumer groups whose lag is of interest.'),
      tags: texts(20, 200, 'Further tags of its metrics.'),
      intervalMs: whole(K.intervalMs, 'ms', 1000, 3_600_000, 'How often.'),
      timeoutMs: whole(K.timeoutMs, 'ms', 10, 600_000, 'How long a whole run may take; the interval at most.'),
      partitions: whole(
        K.partitions,
        'partitions',
        0,
        100_000,
        'Partitions with metrics of their own, and as many offsets of groups; further ones count in the sums only.',
      ),
      tls: yesOrNo(false, 'Speak TLS to the brokers.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
      saslMechanism: choice('none', ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], 'How it says who it is.'),
      saslUser: text('', 255, 'User name; it needs to describe topics, groups and the cluster.'),
      saslPasswordFile: text('', 4096, 'File with the password.'),
    },
    20,
    'Kafka clusters to look at.',
  ),
});
