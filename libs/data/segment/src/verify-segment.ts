import { equalBytes } from '@tidemark/bytes';
import { WorkSlice } from '@tidemark/ports';
import { compareNames } from './metric-key.ts';
import { plansOf, type ReadGroup, readPages } from './read-pages.ts';
import { readRange } from './read-ranges.ts';
import type { Segment } from './segment.ts';
import { addGroup, addPage, noCounts } from './segment-counts.ts';
import { segmentLoss } from './segment-error.ts';
import type { SegmentCounts } from './segment-format.ts';
import { encodeHeader, HEADER_BYTES } from './segment-head.ts';

const ALL_TIMES = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/**
 * Reads all of a segment that was opened, and compares it with its checksums, its header and its counts, in slices. No value is
 * decoded. Errors: those of the source, `data_loss` for what differs.
 */
export async function verifySegment(segment: Segment, slice = new WorkSlice(undefined, undefined)): Promise<void> {
  const where = { offset: 0, length: HEADER_BYTES };
  const header = await readRange(segment.source, 'the header', where);
  if (!equalBytes(header, encodeHeader(segment.head)))
    throw segmentLoss('a header that differs from the footer', where);
  const counts = noCounts();
  let before: ReadGroup['group'] | undefined;
  for await (const plan of plansOf(segment, segment.allGroups(), ALL_TIMES)) {
    for (const { group, pages } of await readPages(segment, plan, slice)) {
      if (group.firstSeries !== counts.series) {
        throw segmentLoss(`a group that begins with series ${group.firstSeries}, not ${counts.series}`);
      }
      addGroup(counts, group.series, before === undefined || compareNames(before, group) !== 0);
      group.pages.forEach(({ points }, i) => {
        addPage(counts, { points, minTimeMs: pages[i].minTimeMs, maxTimeMs: pages[i].maxTimeMs });
      });
      before = group;
    }
  }
  checkCounts(counts, segment.counts);
}

function checkCounts(found: SegmentCounts, stated: SegmentCounts): void {
  for (const name of Object.keys(found) as (keyof SegmentCounts)[]) {
    if (found[name] === stated[name]) continue;
    throw segmentLoss(`${found[name]} ${name} by its pages, the footer says ${stated[name]}`, { what: name });
  }
}
