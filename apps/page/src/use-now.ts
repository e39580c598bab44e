import { useEffect, useState } from 'react';
import { useServices } from './services.ts';

/** The server's time, renewed twice a second while the page is seen: ages must move even when answers don't come. */
export function useNowMs(): number {
  const { clock } = useServices();
  const [nowMs, setNowMs] = useState(() => clock.nowMs());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNowMs(clock.nowMs());
    }, 500);
    return () => clearInterval(timer);
  }, [clock]);
  return nowMs;
}
