import type { ValueUnit } from '@tidemark/contract';

/** Converts a unit to Datadog's pair: that of the amount, and that of the time of a rate. Null where none is known. */
export function datadogUnit(unit: ValueUnit | undefined): readonly [object, object | null] | null {
  if (unit === undefined) return null;
  return [{ name: unit.name }, unit.per === '' ? null : { name: unit.per }];
}
