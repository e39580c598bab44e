import { describe, expect, test } from '@jest/globals';
import { evenMap } from '@tidemark/model';
import { SeriesTable } from './series-table.ts';
import { SessionRoutes } from './session-routes.ts';

function epochs(routes: SessionRoutes): number[] {
  return [...routes.all()].map(({ epoch }) => epoch).sort((a, b) => a - b);
}

describe('routes of a client session', () => {
  test('the routes of an old epoch are kept until its last batch is settled', () => {
    const routes = new SessionRoutes(new SeriesTable());
    routes.useMap({ ...evenMap(4), epoch: 1 }, 'tenant');
    routes.addBatch(1);
    routes.addBatch(1);
    routes.useMap({ ...evenMap(4), epoch: 2 }, 'tenant');
    expect(epochs(routes)).toEqual([1, 2]);
    routes.settleBatch(1);
    expect(epochs(routes)).toEqual([1, 2]);
    routes.settleBatch(1);
    expect(epochs(routes)).toEqual([2]);
  });

  test('an older map than the one in use is ignored', () => {
    const routes = new SessionRoutes(new SeriesTable());
    routes.useMap({ ...evenMap(4), epoch: 7 }, 'tenant');
    routes.useMap({ ...evenMap(8), epoch: 6 }, 'tenant');
    expect(routes.map).toMatchObject({ epoch: 7, partitions: 4 });
    expect(epochs(routes)).toEqual([7]);
  });
});
