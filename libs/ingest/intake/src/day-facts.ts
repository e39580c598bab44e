import { decodeShare, PointColumns, type ShareSummary, SketchColumns } from '@tidemark/columns';
import { dayOf } from '@tidemark/model';
import type { ClientDictionary } from './client-dictionary.ts';
import type { TagRecordEntry } from './tag-publisher.ts';

const NONE: readonly TagRecordEntry[] = [];
const points = new PointColumns();
const sketches = new SketchColumns();

/**
 * Which (series, day) pairs of a share are not published yet. Once a client's series of a day are, this is one
 * comparison a share; before, each point is looked at.
 */
export function dayFacts(
  dictionary: ClientDictionary,
  share: Uint8Array,
  summary: ShareSummary,
): readonly TagRecordEntry[] {
  const firstDay = dayOf(summary.minTimeMs);
  if (firstDay === dayOf(summary.maxTimeMs) && dictionary.isPublishedThrough(firstDay, summary.maxRef)) return NONE;
  points.clear();
  sketches.clear();
  decodeShare(share, points, sketches);
  const facts: TagRecordEntry[] = [];
  const seen = new Set<string>();
  for (const { refs, timesMs, length } of [points, sketches]) {
    let lastRef = -1;
    let lastDay = -1;
    for (let i = 0; i < length; i++) {
      const ref = refs[i];
      const day = dayOf(timesMs[i]);
      if (ref === lastRef && day === lastDay) continue;
      lastRef = ref;
      lastDay = day;
      if (dictionary.isPublished(day, ref) || seen.has(`${day}/${ref}`)) continue;
      seen.add(`${day}/${ref}`);
      facts.push({ dictionary, ref, day });
    }
  }
  return facts;
}
