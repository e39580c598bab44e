import { useEffect, useState } from 'react';
import { useServices } from './services.ts';

/** Returns the server's time, twice a second while the page is visible: ages must grow even without answers. */
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
