import * as z from 'zod';
import { addresses, optionalAddress, partitions, placement } from '../list-settings.ts';
import { KIB, text, whole } from '../setting.ts';

const LIST_BYTES = 64 * KIB;

/** Addresses of the processes of a cluster. All of them read the same settings. */
export const CLUSTER = z.strictObject({
  coordinator: optionalAddress(255, 'gRPC address of the coordinator, `host:port`.'),
  intakes: addresses(LIST_BYTES, 'gRPC addresses of the intakes: `host:port, host:port`.'),
  queries: addresses(LIST_BYTES, 'gRPC addresses of the query services: `host:port, host:port`.'),
  pointStores: placement(
    LIST_BYTES,
    'Point stores and the partitions that each owns: `host:port=0-3; host:port=2,4-7`. A partition may have several owners.',
  ),
  tagStores: placement(
    LIST_BYTES,
    'Tag stores and the partitions that each owns, in the form of `cluster.pointStores`.',
  ),
  aggregators: placement(
    LIST_BYTES,
    'Aggregators and the partitions that each owns, in the form of `cluster.pointStores`.',
  ),
  partitions: partitions(LIST_BYTES, 'Partitions that this store or aggregator owns: `0-3,7`.'),
  keyFile: text(
    '',
    4096,
    'File with the key by which the processes authenticate each other; required beyond loopback.',
  ),
  drainMs: whole(
    0,
    'ms',
    0,
    600_000,
    'How long a process that must stop reports `NOT_SERVING` to health checks before it stops.',
  ),
});

/** TLS of gRPC between the processes and with clients. PEM files; empty: none. */
export const TLS = z.strictObject({
  certFile: text('', 4096, 'PEM file with the certificate of this process and its chain up to the authority.'),
  keyFile: text('', 4096, 'PEM file with the private key of `tls.certFile`.'),
  caFile: text(
    '',
    4096,
    'PEM file with the authorities whose certificates are accepted, of servers and of the other processes.',
  ),
});
