export type { PlainPoint } from './plain-fold.ts';
export { foldPlainly } from './plain-fold.ts';
