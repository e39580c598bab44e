/**
 * The improved raw estimator of Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", arXiv
 * 1702.01284, algorithm 6): unbiased from 0 to the hash's own limit, without tables or thresholds.
 *
 * @param histogram how many of the m = 2^precision registers hold 0, 1, … 65 - precision
 */
export function estimateCardinality(histogram: ArrayLike<number>, precision: number): number {
  const m = 2 ** precision;
  const q = 64 - precision;
  let z = m * tau(1 - histogram[q + 1] / m);
  for (let k = q; k >= 1; k--) z = 0.5 * (z + histogram[k]);
  z += m * sigma(histogram[0] / m);
  return (m * m) / (2 * Math.LN2 * z);
}

/** x + Σ x^(2^k) 2^(k-1): the contribution of registers at zero. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (;;) {
    x *= x;
    const before = z;
    z += x * y;
    y += y;
    if (z === before) return z;
  }
}

/** (1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3: the contribution of registers at the highest rank. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (;;) {
    x = Math.sqrt(x);
    const before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
    if (z === before) return z / 3;
  }
}
