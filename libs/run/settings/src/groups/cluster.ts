import * as z from 'zod';
import { addresses, partitions, placement } from '../list-settings.ts';
import { KIB, text, whole } from '../setting.ts';

const LIST_BYTES = 64 * KIB;

/** Who is where, when the parts run as processes of their own. All of them read the same. */
export const CLUSTER = z.strictObject({
  coordinator: addresses(255, 'gRPC address of the coordinator, `host:port`.'),
  intakes: addresses(LIST_BYTES, 'gRPC addresses of the intakes: `host:port, host:port`.'),
  queries: addresses(LIST_BYTES, 'The same for query services.'),
  pointStores: placement(
    LIST_BYTES,
    'Which point store owns which partitions: `host:port=0-3; host:port=2,4-7`. A partition may have several owners.',
  ),
  tagStores: placement(LIST_BYTES, 'The same for tag stores.'),
  aggregators: placement(LIST_BYTES, 'The same for aggregators.'),
  partitions: partitions(LIST_BYTES, 'Partitions that this store or aggregator owns: `0-3,7`.'),
  keyFile: text('', 4096, 'File with the key by which the processes know each other. A must beyond loopback.'),
  drainMs: whole(
    0,
    'ms',
    0,
    600_000,
    'How long a process that was told to stop says so to health checks before it does.',
  ),
});

/** TLS of the gRPC between the processes, and with clients. PEM files; empty: none. */
export const TLS = z.strictObject({
  certFile: text('', 4096, "This process's certificate, with the chain up to the authority."),
  keyFile: text('', 4096, 'Its private key.'),
  caFile: text('', 4096, 'Authorities whose certificates are accepted, of servers and of the other processes.'),
});
