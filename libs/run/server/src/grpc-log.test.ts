import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { quietGrpcLog } from './grpc-log.ts';

test('grpc-js logs nothing about a port in use, and its other lines are kept', async () => {
  const lines: string[] = [];
  quietGrpcLog((line) => lines.push(line));
  const bind = (server: Server, port: number) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  const [first, second] = [new Server(), new Server()];
  const port = await bind(first, 0);
  await expect(bind(second, port)).rejects.toThrow(/No address added.*EADDRINUSE/);
  expect(lines).toEqual([]);
  Metadata.fromHttp2Headers({ 'x-bin': undefined, 'bad key': 'a' });
  expect(lines).toEqual([expect.stringMatching(/^E Failed to add metadata entry.*\n$/)]);
  first.forceShutdown();
  second.forceShutdown();
});
