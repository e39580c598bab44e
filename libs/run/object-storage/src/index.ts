export type { ObjectPlace } from './object-place.ts';
export { objectPlace, objectPlaceText } from './object-place.ts';
export { openObjects } from './open-objects.ts';
