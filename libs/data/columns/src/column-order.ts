import { PointColumns, SketchColumns } from './point-columns.ts';

/** Refs per point beyond which a counting sort costs more than comparisons. */
const COUNTING_SPAN = 16;

/**
 * Sorts points by ref, then time, and merges points of equal ref and time: into their sum where `sums(ref)`, else into
 * the later one. Returns `points` itself when they are in order already. Linear in points for dense refs. `PointSorter`
 * keeps repetitions, and is faster for a few ascending runs.
 */
export function orderPoints(points: PointColumns, sums: (ref: number) => boolean): PointColumns {
  if (isOrdered(points.refs, points.timesMs, points.length)) return points;
  const order = orderOf(points.refs, points.timesMs, points.length);
  const out = new PointColumns(points.length);
  for (const i of order) {
    const ref = points.refs[i];
    const timeMs = points.timesMs[i];
    const last = out.length - 1;
    if (last >= 0 && out.refs[last] === ref && out.timesMs[last] === timeMs) {
      out.values[last] = sums(ref) ? out.values[last] + points.values[i] : points.values[i];
    } else {
      out.push(ref, timeMs, points.values[i]);
    }
  }
  return out;
}

/** Sorts sketches by ref, then time, stable. Returns `sketches` itself when they are in order already. */
export function orderSketches(sketches: SketchColumns): SketchColumns {
  if (isOrdered(sketches.refs, sketches.timesMs, sketches.length)) return sketches;
  const out = new SketchColumns(sketches.length);
  for (const i of orderOf(sketches.refs, sketches.timesMs, sketches.length)) {
    out.push(sketches.refs[i], sketches.timesMs[i], sketches.payloads[i]);
  }
  return out;
}

function isOrdered(refs: Uint32Array, timesMs: Float64Array, length: number): boolean {
  for (let i = 1; i < length; i++) {
    if (refs[i] < refs[i - 1] || (refs[i] === refs[i - 1] && timesMs[i] <= timesMs[i - 1])) return false;
  }
  return true;
}

/** Indexes by (ref, time), stable. */
function orderOf(refs: Uint32Array, timesMs: Float64Array, length: number): Uint32Array {
  let span = 0;
  for (let i = 0; i < length; i++) if (refs[i] >= span) span = refs[i] + 1;
  if (span > length * COUNTING_SPAN) {
    return Uint32Array.from({ length }, (_, i) => i).sort(
      (a, b) => refs[a] - refs[b] || timesMs[a] - timesMs[b] || a - b,
    );
  }
  const next = new Uint32Array(span + 1);
  for (let i = 0; i < length; i++) next[refs[i] + 1]++;
  for (let ref = 0; ref < span; ref++) next[ref + 1] += next[ref];
  const starts = next.slice();
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[next[refs[i]]++] = i;
  for (let ref = 0; ref < span; ref++) {
    // Points of one series mostly come in time order; only the other runs are sorted.
    for (let at = starts[ref] + 1; at < starts[ref + 1]; at++) {
      if (timesMs[order[at]] >= timesMs[order[at - 1]]) continue;
      order.subarray(starts[ref], starts[ref + 1]).sort((a, b) => timesMs[a] - timesMs[b] || a - b);
      break;
    }
  }
  return order;
}
