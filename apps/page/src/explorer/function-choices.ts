/** A function of docs/query-language.md, with arguments after the expression that make sense at first. */
export interface FunctionChoice {
  readonly name: string;
  readonly args: string;
}

const NAMES =
  'abs log2 log10 diff monotonic_diff derivative per_second per_minute per_hour throughput dt cumsum integral ' +
  'default_zero count_not_null count_nonzero exclude_null ewma_5 ewma_10 ewma_20 median_5 median_9 rollingavg_5 ' +
  'rollingavg_13 autosmooth trend_line robust_trend piecewise_constant hour_before day_before week_before month_before';

const WITH_ARGUMENTS: Readonly<Record<string, string>> = {
  top: "10, 'mean', 'desc'",
  bottom: "10, 'mean', 'asc'",
  round: '0',
  clamp_min: '0',
  clamp_max: '100',
  cutoff_min: '0',
  cutoff_max: '100',
  default: '0',
  moving_rollup: "300, 'avg'",
  timeshift: '-3600',
  calendar_shift: "'-1d', 'UTC'",
};

/** The functions that the builder offers, by name. function-choices.test.ts parses each with the language's parser. */
export const FUNCTION_CHOICES: readonly FunctionChoice[] = [
  ...NAMES.split(' ').map((name) => ({ name, args: '' })),
  ...Object.entries(WITH_ARGUMENTS).map(([name, args]) => ({ name, args })),
].sort((a, b) => (a.name < b.name ? -1 : 1));
