import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from '@jest/globals';
import { Access } from '@tidemark/access';
import { IntakeClient, type IntakeServer, IntakeService, type SendReply } from '@tidemark/contract';
import { ControlState } from '@tidemark/control-log';
import { type IntakeServiceOptions, type IntakeSession, intakeService } from '@tidemark/intake';
import { SystemClock } from '@tidemark/node-runtime';
import { GrpcServer } from './grpc-server.ts';

const protoFolder = join(fileURLToPath(new URL('../../../../', import.meta.url)), 'proto');
const HELLO = { clientSession: Buffer.alloc(16), clientName: 'n'.repeat(100) };

/** Sends one hello; resolves with how the stream ended. */
function sendHello(port: number, metadata = new Metadata()): Promise<number> {
  const client = new IntakeClient(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise((resolve) => {
    const call = client.send(metadata);
    call.on('data', (_reply: SendReply) => call.end());
    call.on('error', (error: ServiceError) => resolve(error.code));
    call.on('end', () => resolve(status.OK));
    call.write({ message: { $case: 'hello', value: HELLO } });
  }).then((code) => {
    client.close();
    return code as number;
  });
}

const requests = { state: () => Promise.reject(new Error('not asked here')) };

async function listen(service: IntakeServer, messageBytes: number, onTooLarge: (path: string) => void) {
  const register = (server: { addService: (contract: typeof IntakeService, one: IntakeServer) => void }) =>
    server.addService(IntakeService, service);
  const options = { host: '127.0.0.1', port: 0, clock: new SystemClock(), messageBytes, protoFolder };
  return GrpcServer.listen({ ...options, register, onTooLarge });
}

describe('the gRPC server', () => {
  test('a message that is too large to be read is reported with the path of its call', async () => {
    const paths: string[] = [];
    const counted: unknown[] = [];
    const session = {
      violations: { countError: (tenant: unknown, error: unknown) => counted.push([tenant, error]) },
    };
    const openStream = () => ({ receive: async () => undefined, close: () => undefined });
    const access = new Access(new ControlState());
    const service = intakeService({ session: () => session as unknown as IntakeSession, access, requests, openStream });
    const server = await listen(service, 64, (path) => paths.push(path));
    expect(await sendHello(server.port)).toBe(status.RESOURCE_EXHAUSTED);
    expect(paths).toEqual([IntakeService.send.path]);
    await server.close(0);
  });

  test('a wrong key is counted without a tenant', async () => {
    const counted: unknown[] = [];
    const session = { violations: { countError: (tenant: unknown, error: unknown) => counted.push([tenant, error]) } };
    const access = new Access(new ControlState(), { loopbackNeedsKey: true });
    const service = intakeService({ session: () => session as unknown as IntakeSession, access, requests });
    const server = await listen(service, 1 << 20, () => undefined);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer wrong');
    expect(await sendHello(server.port, metadata)).toBe(status.UNAUTHENTICATED);
    expect(counted).toEqual([[undefined, expect.objectContaining({ code: 'unauthenticated' })]]);
    await server.close(0);
  });

  test('a rejected client gets the status even if a reply was written just before', async () => {
    const problem = 'no renewal acknowledged for 5038 ms';
    const retry: SendReply = {
      message: {
        $case: 'batch',
        value: { sequence: 0, outcome: 2, acceptedPoints: 0, rejections: [], retryAfterMs: 0 },
      },
    };
    const session = {
      isAccepting: false,
      problem,
      violations: { countError: () => undefined },
      ready: async () => undefined,
    };
    const openStream: IntakeServiceOptions['openStream'] = (_session, _tenant, reply) => ({
      receive: async () => reply(retry),
      close: () => undefined,
    });
    const access = new Access(new ControlState());
    const service = intakeService({ session: () => session as unknown as IntakeSession, access, requests, openStream });
    const server = await listen(service, 1 << 20, () => undefined);
    const client = new IntakeClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const call = client.send(new Metadata());
    const replies: SendReply[] = [];
    const ended = new Promise<ServiceError>((resolve) => {
      call.on('data', (reply: SendReply) => replies.push(reply));
      call.on('error', resolve);
    });
    call.write({ message: { $case: 'hello', value: HELLO } });
    const { code, details } = await ended;
    expect({ code, details, replies: replies.length }).toEqual({
      ...{ code: status.UNAVAILABLE, details: problem, replies: 1 },
    });
    client.close();
    await server.close(0);
  });
});
