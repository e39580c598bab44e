export { type ClosedForm, encodeClosed, parseClosed, resealed, sha256Of, tooLarge } from './closed-document.ts';
export { DocumentFields, damagedDocument, parseJson } from './document-fields.ts';
