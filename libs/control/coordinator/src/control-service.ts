import type { ServerUnaryCall } from '@grpc/grpc-js';
import { type Access, bearerKey, DEFAULT_TENANT, isLoopbackAddress } from '@tidemark/access';
import type { ControlServer, PartitionStateHash, SkipRequest } from '@tidemark/contract';
import type { ControlFollower } from '@tidemark/control-log';
import { limitError, TidemarkError } from '@tidemark/ports';
import { serveUnary } from '@tidemark/rpc';
import type { PointStateHasher, PointStoreReader, TagStoreReader } from '@tidemark/store-rpc';
import type { Coordinator } from './coordinator.ts';

/** Readers of the stores that the control API uses: of any replica of a partition. */
export interface ControlledStores {
  pointStore(partition: number): Pick<PointStoreReader, 'status'> & PointStateHasher;
  tagStore(partition: number): Pick<TagStoreReader, 'status'>;
}

export interface ControlServiceOptions {
  readonly coordinator: Coordinator;
  readonly control: ControlFollower;
  readonly access: Access;
  readonly stores: ControlledStores;
}

const SCOPES: readonly string[] = ['send', 'read', 'admin'];
const NAME_BYTES = 64;
const REASON_BYTES = 500;
const KEYS_PER_TENANT = 1000;

/** Serves the control API for operators. `optionsNow` may throw `unavailable` while the process starts. */
export function controlService(optionsNow: () => ControlServiceOptions): ControlServer {
  const callerOf = (call: ServerUnaryCall<unknown, unknown>): string => {
    const [header] = call.metadata.get('authorization');
    return optionsNow().access.tenantOf(bearerKey(header?.toString()), 'admin', isLoopbackAddress(call.getPeer()));
  };
  return {
    skip: (call, callback) =>
      void serveUnary(call, callback, async (request) => {
        requireOperator(callerOf(call), 'a skip');
        checkText('reason', request.reason, REASON_BYTES);
        await checkHalted(optionsNow(), request);
        await optionsNow().coordinator.skip(request.topic, request.partition, request.offset, request.reason);
        return {};
      }),
    createKey: (call, callback) =>
      void serveUnary(call, callback, async ({ tenant: asked, name, scopes }) => {
        const tenant = tenantFor(callerOf(call), asked);
        checkText('name', name, NAME_BYTES);
        checkText('tenant', tenant, NAME_BYTES);
        const wrong = scopes.find((scope) => !SCOPES.includes(scope));
        if (wrong !== undefined || scopes.length === 0) {
          const found = wrong === undefined ? 'no scope' : `scope ${JSON.stringify(wrong.slice(0, NAME_BYTES))}`;
          throw limitError('scopes', found, `some of ${SCOPES.join(', ')}`);
        }
        const { control, coordinator } = optionsNow();
        const others = [...control.state.keys.values()].filter((key) => key.tenant === tenant && key.name !== name);
        if (others.length >= KEYS_PER_TENANT) {
          const message = `tenant ${tenant} has ${others.length} keys (limit: ${KEYS_PER_TENANT}); revoke a key first`;
          throw new TidemarkError('resource_exhausted', message);
        }
        return { key: await coordinator.createKey(tenant, name, [...new Set(scopes)]) };
      }),
    revokeKey: (call, callback) =>
      void serveUnary(call, callback, async ({ tenant, name }) => {
        await optionsNow().coordinator.revokeKey(tenantFor(callerOf(call), tenant), name);
        return {};
      }),
    listKeys: (call, callback) =>
      void serveUnary(call, callback, async ({ tenant: asked }) => {
        const caller = callerOf(call);
        const isAll = asked === '' && caller === DEFAULT_TENANT;
        const tenant = tenantFor(caller, asked);
        const keys = [...optionsNow().control.state.keys.values()].filter((key) => isAll || key.tenant === tenant);
        return { keys: keys.map(({ tenant, name, scopes }) => ({ tenant, name, scopes: [...scopes] })) };
      }),
    stateHash: (call, callback) =>
      void serveUnary(call, callback, async () => {
        requireOperator(callerOf(call), 'a state hash');
        const { control, stores } = optionsNow();
        const count = control.state.map?.partitions ?? 0;
        const partitions = Array.from({ length: count }, (_, partition) => hashOf(stores, partition));
        return { partitions: await Promise.all(partitions) };
      }),
  };
}

function requireOperator(caller: string, what: string): void {
  if (caller === DEFAULT_TENANT) return;
  throw new TidemarkError('permission_denied', `${what} concerns every tenant: use a key of tenant ${DEFAULT_TENANT}`);
}

/** Returns the tenant whose keys a call manages: each tenant manages its own keys, the default tenant all keys. */
function tenantFor(caller: string, asked: string): string {
  if (asked === '' || asked === caller || caller === DEFAULT_TENANT) return asked === '' ? caller : asked;
  throw new TidemarkError('permission_denied', `a key of tenant ${caller} cannot manage keys of tenant ${asked}`);
}

function checkText(field: string, value: string, maxBytes: number): void {
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes >= 1 && sizeBytes <= maxBytes) return;
  throw limitError(field, `${sizeBytes} bytes`, `1 to ${maxBytes} bytes`);
}

/** Checks that the request skips the record that halts its partition: a typing mistake must not lose a good record. */
async function checkHalted({ control, stores }: ControlServiceOptions, request: SkipRequest): Promise<void> {
  const { topic, partition, offset } = request;
  if (topic === 'control') {
    if (partition === 0 && control.state.unknownLosses.some((lost) => lost.offset === offset)) return;
    const message = `control/${partition} has no lost records at offset ${offset}: nothing was skipped`;
    throw new TidemarkError('failed_precondition', message);
  }
  if (topic !== 'points' && topic !== 'tags') {
    throw limitError('topic', topic.slice(0, NAME_BYTES), 'points, tags, control');
  }
  const partitions = control.state.map?.partitions ?? 0;
  if (partition >= partitions) {
    throw limitError('partition', `${partition}`, `0 to ${partitions - 1}`);
  }
  const store = topic === 'points' ? stores.pointStore(partition) : stores.tagStore(partition);
  const { halted, haltedOffset } = await store.status({ partition });
  if (halted !== '' && haltedOffset === offset) return;
  const at = haltedOffset < 0 ? 'but has no record that can be skipped' : `at offset ${haltedOffset}, not ${offset}`;
  const is = halted === '' ? 'not halted' : `halted ${at}`;
  throw new TidemarkError('failed_precondition', `${topic}/${partition} is ${is}: nothing was skipped`);
}

async function hashOf(stores: ControlledStores, partition: number): Promise<PartitionStateHash> {
  const tags = await stores.tagStore(partition).status({ partition });
  const points = await stores.pointStore(partition).stateHash({ partition });
  return {
    partition,
    pointsOffset: points.offset,
    pointsHash: points.hash,
    tagsOffset: tags.offset,
    tagsHash: tags.stateHash,
  };
}
