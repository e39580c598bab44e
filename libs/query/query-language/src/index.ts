export type {
  Aggregator,
  Binary,
  Call,
  Constant,
  Expression,
  Fill,
  Negation,
  Query,
  QueryLeaf,
  Reduction,
  Regroup,
  Rollup,
  RollupMethod,
  SpaceAggregator,
  TagFilter,
} from './ast.ts';
export { ROLLUP_METHODS, SPACE_AGGREGATORS } from './ast.ts';
export { evaluate } from './evaluate.ts';
export type { FunctionName, Parameter } from './functions.ts';
export { FUNCTION_NAMES, FUNCTIONS, nearest, SUFFIX_NAMES } from './functions.ts';
export type { LeafPlan } from './leaf-plan.ts';
export { planLeaf } from './leaf-plan.ts';
export type { LeafUse, LeafView, ShapeOf } from './leaf-view.ts';
export { leafUses, readStepsOf } from './leaf-view.ts';
export { leavesOf } from './leaves.ts';
export type { QueryLimits } from './limits.ts';
export { DEFAULT_QUERY_LIMITS } from './limits.ts';
export {
  DEFAULT_GROUPS_OF_SERIES,
  groupTags,
  lackedKey,
  matchesFilter,
  matchesPattern,
  NO_VALUE,
} from './match-filter.ts';
export type { FrameMemory } from './operation-memory.ts';
export { frameBytes } from './operation-memory.ts';
export { parseFilter, parseFormula, parseQuery } from './parse.ts';
export { printAggregator, printExpression, printFilter, printQuery } from './print.ts';
export { inField } from './syntax-error.ts';
export type { LeafMeaning, ValueUnit } from './unit-of.ts';
export { unitOf } from './unit-of.ts';
export type { Variables } from './variables.ts';
export { writeWord } from './words.ts';
