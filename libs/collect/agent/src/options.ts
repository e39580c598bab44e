import type { Check } from '@tidemark/checks';
import type { DogStatsDLimits, ServerStatus, SocketFiles, UnixDatagramModule } from '@tidemark/dogstatsd';
import type { HostFiles } from '@tidemark/host-checks';
import type { Clock, Random } from '@tidemark/ports';
import type { AgentClient } from './agent-client.ts';

export interface DogStatsDOptions {
  /** UDP address; `false` for none. Default 127.0.0.1:8125; port 0 chooses a free port. */
  readonly udp?: { readonly host?: string; readonly port?: number } | false;
  /** Path of a Unix stream socket; none by default. */
  readonly streamPath?: string;
  /** Path of a Unix datagram socket, where `unix-dgram` can be loaded; none by default. */
  readonly datagramPath?: string;
  /** Receive buffer that the UDP socket requests, bytes. Default 4 MiB. */
  readonly receiveBufferBytes?: number;
  readonly loadUnixDatagram?: () => Promise<UnixDatagramModule>;
}

export interface AgentOptions {
  readonly clock: Clock;
  /** For the key of the table of DogStatsD's names. */
  readonly random: Random;
  readonly client: AgentClient;
  /** The files of the host, for sockets and drop counters. */
  readonly files: HostFiles & SocketFiles;
  /** Becomes the tag `host:…` of every series that has no `host:` tag of its own. */
  readonly hostname: string;
  /** Further tags of every series. */
  readonly tags?: readonly string[];
  /** DogStatsD servers; `false` for none. */
  readonly dogstatsd?: DogStatsDOptions | false;
  /** Servers that could not be opened, to be shown in the status in addition to those of `dogstatsd`. */
  readonly closedServers?: readonly ServerStatus[];
  /** Checks to run at every flush, or at their own interval. */
  readonly checks?: readonly Check[];
  /** Aggregates are sent at every multiple of this, ms. Default 10,000. */
  readonly flushIntervalMs?: number;
  /** Time that a flush waits for checks, ms; slower ones go with the next. Default 250, max a quarter interval. */
  readonly checkWaitMs?: number;
  /** A series not seen for this long is forgotten, ms. Default 300,000. */
  readonly seriesExpiryMs?: number;
  /** Series of checks whose handles are kept; others are looked up at each reading. Default 100,000. */
  readonly cachedHandles?: number;
  /** Readings of checks that wait for a flush. Default 100,000. */
  readonly pendingReadings?: number;
  readonly limits?: DogStatsDLimits;
  /** Called with each problem that an operator should read, such as a failed check. Must not throw. */
  readonly onProblem?: (message: string, detail: Readonly<Record<string, string>>) => void;
}
