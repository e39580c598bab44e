import { DAY_MS, dayOf } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

/** Time before midnight from which tomorrow's entries are published. */
const LEAD_MS = 3_600_000;
const HASH_RANGE = 65_536;

/**
 * Returns tomorrow's entries that are due: those of series with points today, each at its own moment of the day's last
 * hour, by a hash of its id. At midnight all are published, and there is no load peak.
 */
export function nextDayEntries(dictionary: ClientDictionary, nowMs: number, limit: number): TagRecordEntry[] {
  const today = dayOf(nowMs);
  const sinceLeadMs = nowMs - ((today + 1) * DAY_MS - LEAD_MS);
  if (sinceLeadMs < 0) return [];
  const dueBelow = (sinceLeadMs / LEAD_MS) * HASH_RANGE;
  const entries: TagRecordEntry[] = [];
  for (let ref = 0; ref < dictionary.size && entries.length < limit; ref++) {
    const seriesId = dictionary.seriesId(ref);
    const moment = seriesId[14] * 256 + seriesId[15];
    if (moment > dueBelow || !dictionary.isPublished(today, ref) || dictionary.isPublished(today + 1, ref)) continue;
    entries.push({ dictionary, ref, day: today + 1 });
  }
  return entries;
}
