export { ByTenant } from './by-tenant.ts';
export { KEY_BYTES, LabelMemory, PAGE_BYTES } from './label-memory.ts';
export { LabelTable, UNKNOWN } from './label-table.ts';
