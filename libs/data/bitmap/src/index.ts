export { Bitmap } from './bitmap.ts';
export { BITMAP_VERSION, deserializeBitmap, serializeBitmap } from './serialized.ts';
