/** Distance from the edges of the window, CSS pixels. */
const MARGIN = 8;
/** A list is not made lower than this: below the window's edge one can scroll to it. */
const MIN_HEIGHT = 120;
const MAX_HEIGHT = 340;

/** Moves a popup sideways into the window, and limits its height to the room below its upper edge. For use as a `ref`. */
export function keepInside(popup: HTMLElement | null): void {
  if (popup === null) return;
  const { width } = document.documentElement.getBoundingClientRect();
  popup.style.translate = '';
  popup.style.maxWidth = `${width - 2 * MARGIN}px`;
  const box = popup.getBoundingClientRect();
  popup.style.maxHeight = `${Math.max(MIN_HEIGHT, Math.min(MAX_HEIGHT, innerHeight - box.top - MARGIN))}px`;
  const toTheLeft = Math.max(0, box.right - (width - MARGIN));
  const toTheRight = Math.max(0, MARGIN - (box.left - toTheLeft));
  if (toTheLeft !== toTheRight) popup.style.translate = `${toTheRight - toTheLeft}px`;
}
