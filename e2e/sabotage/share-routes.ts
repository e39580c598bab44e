import { ByteWriter } from '@tidemark/bytes';
import { decodeShare, encodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import type { Offer, OfferedShare } from '../simulation/wiring.ts';

/** Splits a share: `part` gives the part of the point at an index. */
export function split(share: OfferedShare, part: (index: number, ref: number) => number): OfferedShare[] {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  decodeShare(share.span.share, points, sketches);
  const parts = new Map<number, { points: PointColumns; sketches: SketchColumns }>();
  const of = (index: number, ref: number) => {
    const key = part(index, ref);
    const known = parts.get(key) ?? { points: new PointColumns(), sketches: new SketchColumns() };
    parts.set(key, known);
    return known;
  };
  for (let i = 0; i < points.length; i++) {
    of(i, points.refs[i]).points.push(points.refs[i], points.timesMs[i], points.values[i]);
  }
  for (let i = 0; i < sketches.length; i++) {
    of(i, sketches.refs[i]).sketches.push(sketches.refs[i], sketches.timesMs[i], sketches.payloads[i]);
  }
  return [...parts.values()].map((one) => {
    const out = new ByteWriter();
    const summary = encodeShare(one.points, one.sketches, out);
    return { ...share, span: { ...share.span, share: out.take() }, summary };
  });
}

/** Offers the parts of a share to different partitions; the share is durable when all parts are. */
export function offerApart(
  share: OfferedShare,
  parts: readonly OfferedShare[],
  to: readonly number[],
  offer: Offer,
): boolean {
  let isDurable = true;
  let left = parts.length;
  const settle = (durable: boolean) => {
    isDurable &&= durable;
    if (--left === 0) share.settle(isDurable);
  };
  const taken = parts.map((part, i) => offer(to[i], { ...part, settle }));
  for (const isTaken of taken) if (!isTaken) settle(false);
  return true;
}

/** Sends each point to the partition that `owner` gives its metric, and ignores the client's map. */
export function reroute(share: OfferedShare, offer: Offer, owner: (metricId: Uint8Array) => number): boolean {
  const ownerOf = (ref: number) => owner(share.dictionary.definitions(ref, ref + 1)[0].metricId);
  const parts = split(share, (_, ref) => ownerOf(ref));
  return offerApart(
    share,
    parts,
    parts.map((part) => ownerOf(part.summary.maxRef)),
    offer,
  );
}
