import { type FormEvent, useState } from 'react';
import { useServices } from '../services.ts';

/** Asks for a key when the server needs one. The key is kept for this tab only. */
export function KeyPrompt({ reason }: { readonly reason: string }) {
  const { setKey } = useServices();
  const [key, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setKey(key.trim());
    location.reload();
  };
  return (
    <form className="empty" onSubmit={submit}>
      <h2>Key required</h2>
      <p>{reason}</p>
      <label>
        Key with scope “read”{' '}
        <input type="password" autoComplete="off" value={key} onChange={(event) => setText(event.target.value)} />
      </label>{' '}
      <button type="submit" className="primary" disabled={key.trim() === ''}>
        Use this key
      </button>
    </form>
  );
}
