export { type KeyValueAdapter, keyValueConformance } from './key-value-conformance.ts';
