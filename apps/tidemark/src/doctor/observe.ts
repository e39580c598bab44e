import { type ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { type HealthReply, ProcessClient, QueryClient, type StatusReply } from '@tidemark/contract';
import type { Observations, PipelineView, ProcessObservation } from '@tidemark/doctor';
import { isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { callUnary } from '@tidemark/rpc';
import type { Deployment, Target } from '../deployment.ts';
import { healthView, pipelineView } from './views.ts';

const MESSAGE_BYTES = 64 * 1024 * 1024;

/** Asks all processes at the same time, each for at most `timeoutMs`. A failing process is a result, not an error. */
export async function observe(deployment: Deployment, timeoutMs: number): Promise<Observations> {
  const [processes, pipeline, kafka] = await Promise.all([
    Promise.all(deployment.targets.map((target) => healthOf(target, deployment, timeoutMs))),
    statusOf(deployment, timeoutMs),
    deployment.kafka?.(timeoutMs),
  ]);
  return { nowMs: Date.now(), processes, ...pipeline, kafka };
}

async function healthOf(
  { kind, address, partitions }: Target,
  { credentials, processKey }: Deployment,
  timeoutMs: number,
): Promise<ProcessObservation> {
  const client = new ProcessClient(address, credentials, CHANNEL);
  const askedMs = Date.now();
  try {
    const reply = await callUnary<HealthReply>((done) => ask(client, done, processKey, timeoutMs));
    const health = healthView(reply);
    return { kind, address, partitions, answer: { state: 'answered', askedMs, answeredMs: Date.now(), health } };
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    const state = REFUSALS.has(error.code) ? 'refused' : 'silent';
    return { kind, address, partitions, answer: { state, reason: reasonOf(error, timeoutMs) } };
  } finally {
    client.close();
  }
}

/** Returns the first status that a query service answers with. */
async function statusOf(
  { targets, credentials, statusKey }: Deployment,
  timeoutMs: number,
): Promise<{ pipeline: PipelineView | undefined; pipelineProblem: string | undefined }> {
  const services = targets.filter(({ kind }) => kind === 'platform' || kind === 'query service');
  const clients = services.map(({ address }) => new QueryClient(address, credentials, CHANNEL));
  const asked = clients.map((client) => {
    const metadata = metadataOf(statusKey);
    const options = { deadline: Date.now() + timeoutMs };
    return callUnary<StatusReply>((done) => client.status({}, metadata, options, done));
  });
  try {
    return { pipeline: pipelineView(await Promise.any(asked)), pipelineProblem: undefined };
  } catch (error) {
    const [first] = error instanceof AggregateError ? error.errors : [error];
    if (first !== undefined && !isTidemarkError(first)) throw first;
    const problem = first === undefined ? 'no query service is known' : reasonOf(first, timeoutMs);
    return { pipeline: undefined, pipelineProblem: problem };
  } finally {
    await Promise.allSettled(asked);
    for (const client of clients) client.close();
  }
}

type Answer<Reply> = (error: Error | null, reply: Reply) => void;

function ask(client: ProcessClient, done: Answer<HealthReply>, key: string | undefined, ms: number): ClientUnaryCall {
  return client.health({}, metadataOf(key), { deadline: Date.now() + ms }, done);
}

const CHANNEL = {
  'grpc.max_receive_message_length': MESSAGE_BYTES,
  // A second check in the same process must not wait for the backoff of the first.
  'grpc.use_local_subchannel_pool': 1,
};
/** Codes of an answer without health. `unimplemented`: a version from before the method existed. */
const REFUSALS: ReadonlySet<string> = new Set(['unauthenticated', 'permission_denied', 'unimplemented']);

function metadataOf(key: string | undefined): Metadata {
  const metadata = new Metadata();
  if (key !== undefined) metadata.set('authorization', `Bearer ${key}`);
  return metadata;
}

/** Shortens gRPC's messages for the common cases. */
function reasonOf({ code, message }: TidemarkError, timeoutMs: number): string {
  if (code === 'deadline_exceeded') return `no response within ${timeoutMs / 1000} s`;
  if (/ECONNREFUSED/.test(message)) return 'connection refused';
  if (/protocol error/i.test(message)) return 'it does not speak gRPC; the CLI needs the gRPC port (4271 by default)';
  if (/name resolution/i.test(message)) return 'its host name cannot be resolved';
  return message;
}
