import { type FormEvent, useState } from 'react';
import { useServices } from '../services.ts';

/** Asks for a key where the server refuses to answer without one. It is kept for this tab only. */
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
      <h2>A key is needed</h2>
      <p>{reason}</p>
      <label>
        Key with scope “read”{' '}
        <input type="password" autoComplete="off" value={key} onChange={(event) => setText(event.target.value)} />
      </label>{' '}
      <button type="submit" className="primary" disabled={key.trim() === ''}>
        Use it
      </button>
    </form>
  );
}
