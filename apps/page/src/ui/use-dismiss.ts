import { type RefObject, useEffect, useRef } from 'react';

/** Calls `close` on Escape, and on a press outside of the element, while `isOpen`. */
export function useDismiss(element: RefObject<HTMLElement | null>, isOpen: boolean, close: () => void): void {
  const newest = useRef(close);
  newest.current = close;
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    const { signal } = abort;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') newest.current();
    };
    const onPress = (event: PointerEvent): void => {
      if (!element.current?.contains(event.target as Node)) newest.current();
    };
    document.addEventListener('keydown', onKey, { signal });
    document.addEventListener('pointerdown', onPress, { signal, capture: true });
    return () => abort.abort();
  }, [element, isOpen]);
}
