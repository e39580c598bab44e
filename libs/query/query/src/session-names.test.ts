import { expect, test } from '@jest/globals';
import { SessionStatus } from '@tidemark/contract';
import { evenMap } from '@tidemark/model';
import { ModelStores } from '@tidemark/replicas/testing';
import { QueryService } from './query-service.ts';
import { testClock } from './testing/test-clock.ts';

test('the status names those former clients that a point store lists', async () => {
  const stores = new ModelStores();
  const status = await stores.pointStore(0).status({ partition: 0 });
  const [listed] = status.clients.map((client) => Buffer.from(client.clientSession).toString('hex'));
  const session = SessionStatus.create({
    formerClientNames: { [listed]: 'nightly job', [`${'f'.repeat(32)}`]: 'gone' },
  });
  const service = new QueryService({
    ...{ stores, maps: () => [evenMap(1)], latenessMs: () => 0, clock: testClock() },
    sessions: () => [session],
  });
  const { sessions } = await service.status('default');
  expect(sessions).toMatchObject([{ formerClientNames: { [listed]: 'nightly job' } }]);
  expect(Object.keys(sessions[0].formerClientNames)).toEqual([listed]);
});
