/** So many values are copied one by one: a view costs as much as some hundreds of them. */
const FEW = 256;

/** Copies values [at, at + count) of `from` into `target`, from index `to` on. */
export function copyColumn(from: Float64Array, at: number, count: number, target: Float64Array, to: number): void {
  if (count > FEW) target.set(from.subarray(at, at + count), to);
  else for (let i = 0; i < count; i++) target[to + i] = from[at + i];
}
