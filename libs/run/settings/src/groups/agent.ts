import { DEFAULT_CLIENT_OPTIONS } from '@tidemark/client/options';
import { DEFAULT_KAFKA_INSTANCE, DEFAULT_REDIS_INSTANCE } from '@tidemark/integrations/instances';
import { DAY_MS } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { DEFAULT_SCRAPE_TARGET } from '@tidemark/openmetrics/scrape-target';
import * as z from 'zod';
import { addressTexts, scrapeUrl } from '../list-settings.ts';
import { choice, GIB, items, KIB, MIB, needed, text, texts, whole, yesOrNo } from '../setting.ts';

const C = DEFAULT_CLIENT_OPTIONS;
const T = DEFAULT_SCRAPE_TARGET;
const R = DEFAULT_REDIS_INSTANCE;
const K = DEFAULT_KAFKA_INSTANCE;

/** The agent, in the process of `tidemark start` or in its own process. */
export const AGENT = z.strictObject({
  enabled: yesOrNo(true, 'Collects metrics of this host and DogStatsD in the process of `tidemark start`.', {
    flag: 'no-agent',
    isNegated: true,
    flagDescription: 'Does not collect metrics of this host, and does not listen for DogStatsD.',
    isMain: true,
  }),
  addresses: addressTexts(
    100,
    255,
    'Intakes that a standalone agent sends to, `host:port`, tried in turn; none: `cluster.intakes`, or the intake on this host.',
    { isMain: true },
  ),
  keyFile: text('', 4096, 'File with the key of a standalone agent; empty: the key in `TIDEMARK_KEY`.'),
  spoolFolder: text(
    '',
    4096,
    'Folder of unsettled batches, used by one agent at a time; empty: `agent` in `data.folder`.',
  ),
  tags: texts(100, 200, 'Tags added to every series that the agent sends.'),
  statusPort: whole(
    4269,
    'port',
    0,
    65_535,
    'Port of `/status`, `/healthz` and `/readyz` of a standalone agent, on `listen.host`; 0: any free port.',
  ),
  hostname: text('', 255, 'Value of the tag `host:` of this host; empty: the hostname of the system.'),
  flushIntervalMs: whole(1000, 'ms', 100, 60_000, 'Time between two flushes of the agent.'),
  checkWaitMs: whole(
    250,
    'ms',
    1,
    10_000,
    'How long a flush waits for checks; readings of slower checks go out with the next flush.',
  ),
  seriesExpiryMs: whole(300_000, 'ms', 1000, DAY_MS, 'A series that is not seen for this long is evicted.'),
  pendingReadings: whole(100_000, 'readings', 100, 10_000_000, 'Readings of checks that wait for a flush.'),
  maxSeries: whole(1_000_000, 'series', 100, 100_000_000, 'Series that the agent may use.'),
  memoryBytes: whole(64 * MIB, 'bytes', MIB, 16 * GIB, 'Unsettled batches in memory.'),
  spoolBytes: whole(
    GIB,
    'bytes',
    MIB,
    1024 * GIB,
    'Unsettled batches on disk; above this size the oldest are dropped and counted.',
  ),
  spoolFileBytes: whole(8 * MIB, 'bytes', 64 * KIB, GIB, 'Size at which the spool begins a new file.'),
  giveUpMs: whole(
    C.giveUpMs,
    'ms',
    1000,
    PROTOCOL_TIMES.giveUpMs,
    'A batch that was sent and not acknowledged for this long is abandoned as indeterminate.',
  ),
  replyTimeoutMs: whole(C.replyTimeoutMs, 'ms', 100, 3_600_000, 'A batch without a reply is resent after this time.'),
  greetingTimeoutMs: whole(
    C.greetingTimeoutMs,
    'ms',
    100,
    600_000,
    'A stream that gets no greeting within this time is closed.',
  ),
  backoffMs: whole(
    C.backoffMs,
    'ms',
    1,
    60_000,
    'First pause before a retry; each further pause doubles, with jitter.',
  ),
  maxBackoffMs: whole(C.maxBackoffMs, 'ms', 1, 3_600_000, 'Longest pause before a retry.'),
  replayStreams: whole(
    C.replayStreams,
    'streams',
    1,
    1000,
    'Sessions of earlier runs that are replayed at the same time.',
  ),
  closeTimeoutMs: whole(
    2000,
    'ms',
    0,
    600_000,
    'How long a stop waits for acknowledgements; the spool keeps unacknowledged batches.',
  ),
});

/** Targets that the agent scrapes, in the formats of Prometheus and OpenMetrics. */
export const SCRAPE = z.strictObject({
  targets: items(
    {
      url: scrapeUrl(4096, 'URL to GET, `http://…/metrics` or `https://…`.'),
      instance: text('', 190, 'Value of the tag `instance:` of its series; empty: host and port of the URL.'),
      tags: texts(20, 200, 'Further tags of its series.'),
      prefix: text('', 100, 'Prefix of the names of its metrics.'),
      intervalMs: whole(T.intervalMs, 'ms', 1000, 3_600_000, 'Time between two collections.'),
      timeoutMs: whole(T.timeoutMs, 'ms', 10, 600_000, 'How long a whole response may take; at most the interval.'),
      bodyBytes: whole(
        T.bodyBytes,
        'bytes',
        KIB,
        GIB,
        'Size of a decompressed response; the rest of a longer response is omitted.',
      ),
      samples: whole(T.samples, 'samples', 1, 10_000_000, 'Samples of a response; further samples are omitted.'),
      series: whole(
        T.series,
        'series',
        1,
        10_000_000,
        'Series in its latest responses; new series above this are omitted.',
      ),
      honorTimestamps: yesOrNo(
        true,
        'Keeps the timestamps in a response; otherwise a reading gets the time of its scrape.',
      ),
      redirects: whole(T.redirects, 'redirects', 0, 20, 'Redirects that are followed, on the same host.'),
      authorizationFile: text('', 4096, 'File with the value of the header `Authorization`, such as `Bearer …`.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
    },
    1000,
    'Targets to scrape.',
  ),
});

/** Services that the agent monitors. */
export const INTEGRATIONS = z.strictObject({
  redis: items(
    {
      address: needed(255, '`host:port`, or the path of a Unix socket.'),
      tags: texts(20, 200, 'Further tags of its metrics.'),
      intervalMs: whole(R.intervalMs, 'ms', 1000, 3_600_000, 'Time between two collections.'),
      timeoutMs: whole(R.timeoutMs, 'ms', 10, 600_000, 'How long a whole collection may take; at most the interval.'),
      user: text('', 255, 'ACL user, which needs `+info`; empty: the default user.'),
      passwordFile: text('', 4096, 'File with the password.'),
      tls: yesOrNo(false, 'Connects with TLS.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
      commandStats: yesOrNo(false, 'Also collects calls and times of each command.'),
    },
    100,
    'Redis servers to monitor.',
  ),
  kafka: items(
    {
      brokers: texts(100, 255, 'Bootstrap brokers, `host:port`, at least one; the cluster reports the others.'),
      topics: texts(1000, 249, "Topics to monitor; none: all except Kafka's own."),
      groups: texts(100, 249, 'Consumer groups whose lag is measured.'),
      tags: texts(20, 200, 'Further tags of its metrics.'),
      intervalMs: whole(K.intervalMs, 'ms', 1000, 3_600_000, 'Time between two collections.'),
      timeoutMs: whole(K.timeoutMs, 'ms', 10, 600_000, 'How long a whole collection may take; at most the interval.'),
      partitions: whole(
        K.partitions,
        'partitions',
        0,
        100_000,
        'Partitions, and offsets of groups, that get metrics of their own; further partitions count in the sums only.',
      ),
      tls: yesOrNo(false, 'Connects to the brokers with TLS.'),
      caFile: text('', 4096, "File with certificates to trust instead of the system's, PEM."),
      saslMechanism: choice('none', ['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], 'Authentication mechanism.'),
      saslUser: text('', 255, 'User name; the user must be allowed to describe topics, groups and the cluster.'),
      saslPasswordFile: text('', 4096, 'File with the password.'),
    },
    20,
    'Kafka clusters to monitor.',
  ),
});
