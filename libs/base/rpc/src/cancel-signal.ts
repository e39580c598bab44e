import { TidemarkError } from '@tidemark/ports';

/** A signal that aborts when the caller of a served call cancels it. */
export function cancelSignal(call: { once(event: 'cancelled', listener: () => void): unknown }): AbortSignal {
  const abort = new AbortController();
  call.once('cancelled', () => abort.abort(new TidemarkError('cancelled', 'the caller cancelled the call')));
  return abort.signal;
}
