export { appendCopy } from './append-copy.ts';
export { ControlCopies, type FoundCopy } from './control-copies.ts';
export { type EncodedCopy, encodeControlCopy, type WholeCopy } from './control-copy.ts';
