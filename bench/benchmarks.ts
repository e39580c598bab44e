import { archivedDays } from './archive-day.ts';
import { bucketClose } from './bucket-close.ts';
import { intake } from './intake.ts';
import { logAppend } from './log-append.ts';
import { logAppendKafka } from './log-append-kafka.ts';
import type { Measurement } from './measurement.ts';
import { bytesPerActiveSeries, rss100kSeries } from './memory-use.ts';
import { newSeries } from './new-series.ts';
import { pages } from './pages.ts';
import { QUERY_NAMES, queriesBesidePeers } from './peers/queries/run.ts';
import { pointStoreAppend } from './point-store-append.ts';
import { remoteWriteFourConnections } from './remote-write-4-connections.ts';
import { remoteWriteCpu } from './remote-write-cpu.ts';
import { replay } from './replay.ts';
import { segments } from './segments.ts';
import { seriesTables } from './series-tables.ts';
import { wholePathChurn } from './whole-path-churn.ts';
import { wholePathEmbedded } from './whole-path-embedded.ts';
import { wholePathKafka } from './whole-path-kafka.ts';
import { worstStall } from './worst-stall.ts';

/** Every benchmark, with the names of its figures, in the order of the results. */
export const BENCHMARKS: readonly { readonly names: readonly string[]; readonly run: () => Promise<Measurement[]> }[] =
  [
    {
      names: [
        'whole-path-embedded',
        'whole-path-embedded-cpu',
        'client-cpu',
        'bytes-per-point-log',
        'bytes-per-point-store',
      ],
      run: wholePathEmbedded,
    },
    { names: ['whole-path-churn', 'whole-path-churn-cpu', 'bytes-per-point-churn'], run: wholePathChurn },
    { names: ['whole-path-kafka', 'whole-path-kafka-cpu'], run: wholePathKafka },
    { names: ['remote-write-cpu', 'remote-write'], run: remoteWriteCpu },
    {
      names: [
        'remote-write-4-connections',
        'remote-write-4-connections-vs-vm',
        'remote-write-4-connections-p50',
        'remote-write-4-connections-p99',
        'remote-write-4-connections-cpu-vs-vm',
      ],
      run: remoteWriteFourConnections,
    },
    { names: ['intake'], run: intake },
    { names: ['log-append'], run: logAppend },
    { names: ['log-append-kafka', 'log-append-kafka-cpu'], run: logAppendKafka },
    { names: ['point-store-append'], run: pointStoreAppend },
    { names: ['bucket-close', 'bucket-close-late', 'bucket-close-longest-commit'], run: bucketClose },
    { names: ['page-encode', 'page-decode', 'head-append', 'head-flush'], run: pages },
    { names: ['segment-write', 'bytes-per-point-s3'], run: segments },
    { names: ['archive-day', 'archive-day-wide'], run: archivedDays },
    {
      names: [
        'series-tables-find-without-key',
        'series-tables-find-keyed',
        'series-tables-chosen-without-key',
        'series-tables-chosen-keyed',
      ],
      run: seriesTables,
    },
    {
      names: [
        'new-series',
        'new-series-define',
        'new-series-publish',
        'new-series-store',
        'new-series-remote-write',
        'new-series-datadog',
      ],
      run: newSeries,
    },
    { names: ['rss-100k-series', 'rss-100k-series-paced'], run: rss100kSeries },
    { names: ['bytes-per-active-series'], run: bytesPerActiveSeries },
    { names: ['replay'], run: replay },
    { names: ['worst-stall', 'worst-stall-cpu'], run: worstStall },
    { names: QUERY_NAMES, run: queriesBesidePeers },
  ];
