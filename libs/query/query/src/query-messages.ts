import type { QueryReply, ResultSeries } from '@tidemark/contract';
import type { WorkSlice } from '@tidemark/ports';
import { abortable } from '@tidemark/replicas';
import type { SendMessage } from '@tidemark/rpc';
import type { QueryAnswer } from './query-reader.ts';

/** Values of one message, unless a single series has more: some hundred KiB. */
const MESSAGE_VALUES = 8192;
/** What a series costs apart from its values, in those. */
const SERIES_COST = 16;

/**
 * Sends an answer in messages, no faster than its caller reads them; other work of the thread is done in between. Rejects
 * when the signal of `slice` aborts: a caller that does not read must not keep the memory and the place of its query.
 */
export async function sendAnswer(
  { expressions: _, groupBy: __, ...answer }: QueryAnswer,
  send: SendMessage<QueryReply>,
  slice: WorkSlice,
): Promise<void> {
  const { signal } = slice;
  const sendInTime = (message: QueryReply) => (signal === undefined ? send(message) : abortable(send(message), signal));
  for (const { series, cost } of inMessages(answer.series)) {
    await sendInTime({ ...NO_SERIES, series });
    if (slice.spend(cost)) await slice.next();
  }
  await sendInTime({ ...answer, series: [] });
}

const NO_SERIES: Omit<QueryReply, 'series'> = { errors: [], gaps: [], pointsRead: 0, seriesRead: 0, notes: [] };

function* inMessages(all: readonly ResultSeries[]): Generator<{ series: ResultSeries[]; cost: number }> {
  let series: ResultSeries[] = [];
  let cost = 0;
  for (const one of all) {
    const added = SERIES_COST + one.values.length;
    if (series.length > 0 && cost + added > MESSAGE_VALUES) {
      yield { series, cost };
      series = [];
      cost = 0;
    }
    series.push(one);
    cost += added;
  }
  if (series.length > 0) yield { series, cost };
}
