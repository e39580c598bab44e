import { SERVICE_CHECK_STATUSES, serviceCheckMetric } from '@tidemark/model';
import type { SlicedWork } from '@tidemark/ports';
import { isObject, isPresent, shownValue } from './json-body.ts';
import { eachOfList } from './json-elements.ts';
import { timeOf } from './json-series.ts';
import { readTag, readTags } from './json-tags.ts';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { SeriesDraft } from './series-draft.ts';

/**
 * Reads the JSON of `POST /api/v1/check_run`: a service check `{"check", "status", "timestamp", "tags", "host_name",
 * "message"}`, or a list of them. A check becomes a point of the gauge `service_check.NAME`, whose value is the status;
 * without a time it has that of its receipt. Throws `invalid_argument` for a body that is not JSON; a wrong check is
 * refused alone.
 */
export function readChecks(
  body: Buffer,
  sink: PointSink,
  limits: DatadogLimits,
  known: KnownSeries | undefined,
  receivedMs: number,
): SlicedWork<void> {
  const draft = new SeriesDraft(sink, limits, known?.names);
  const read = (use: () => void): void => {
    draft.begin('gauge');
    use();
    draft.end();
  };
  return eachOfList(body, limits, {
    take: (check) => read(() => readCheck(check, draft, receivedMs)),
    refuse: (bytes) => read(() => draft.refuse('check_invalid', 'check', `at most ${bytes} bytes`)),
  });
}

function readCheck(check: unknown, draft: SeriesDraft, receivedMs: number): void {
  if (!isObject(check)) {
    draft.refuse('check_invalid', 'check', 'an object');
    return;
  }
  const { check: name, status, timestamp, tags, host_name: host } = check;
  if (typeof name === 'string' && name !== '') draft.metric = serviceCheckMetric(name);
  else draft.refuse('check_invalid', 'check', 'a name of at least 1 byte');
  readTags(tags, draft);
  readTag('host', host, draft, 'host_name');
  if (!isStatus(status)) {
    draft.typeFound = shownValue(status);
    draft.refuse('status_unknown', 'status', '0 (OK), 1 (warning), 2 (critical) or 3 (unknown)');
    return;
  }
  draft.point(isPresent(timestamp) ? timeOf(timestamp, draft) : receivedMs / 1000, status);
}

function isStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status in SERVICE_CHECK_STATUSES;
}
