/**
 * Where the focus was before something opened over the page, and the way back there. What opened may
 * have come from a menu, whose button then gets the focus, or from something that is gone by then: the
 * page's content gets it instead, never the body, from where keys lead nowhere.
 */
export class FocusReturn {
  #from: Element | null = null;

  /** To be called as it opens. */
  remember(): void {
    this.#from = beforeMenu(document.activeElement);
  }

  /** To be called as it closes, with the event that would move the focus. */
  giveBack(event: Event): void {
    event.preventDefault();
    const from = this.#from;
    const isThere = from?.isConnected === true && from !== document.body;
    const place = isThere ? from : document.querySelector('#content');
    if (place instanceof HTMLElement) place.focus({ preventScroll: true });
  }
}

/** The button of the menu an entry is in: the entry goes away with its menu. */
function beforeMenu(active: Element | null): Element | null {
  const menu = active?.closest('[role="menu"]');
  if (menu == null) return active;
  return document.querySelector(`[aria-controls="${CSS.escape(menu.id)}"]`) ?? active;
}
