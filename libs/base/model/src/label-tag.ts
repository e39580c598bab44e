const BOUND = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Returns the tag of a label of Prometheus, `name:value`. A colon in the name becomes `%3A`, since `a:b` with the value `c`
 * would be the tag of `a` with the value `b:c`; and a `%` becomes `%25`, so that no two names give one key. The bound of a
 * bucket (`le`) and a quantile have one spelling, since exporters write `1`, `1.0` or `1e0` for one number.
 */
export function labelTag(name: string, value: string): string {
  const key = /[:%]/.test(name) ? name.replaceAll('%', '%25').replaceAll(':', '%3A') : name;
  return `${key}:${name === 'le' || name === 'quantile' ? spelledOnce(value) : value}`;
}

/** Returns the shortest decimal spelling of a number, `+Inf` or `-Inf`; any other text stays as it is. */
function spelledOnce(value: string): string {
  if (BOUND.test(value)) {
    const number = Number(value);
    // `-0` is 0. A number beyond float64 stays as it was written, since infinity is another bound.
    return Number.isFinite(number) ? String(number + 0) : value;
  }
  const infinite = INFINITE.exec(value);
  return infinite === null ? value : `${infinite[1] === '-' ? '-' : '+'}Inf`;
}
