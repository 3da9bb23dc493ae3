// Notifications of the browser, for a page that is not looked at. The desktop app shows the system's
// own ones from its main process; there this does nothing.
import { desktopMark } from '../../src-main/contract/wire/page-words.ts';

export type BrowserPermission = 'unsupported' | 'default' | 'granted' | 'denied';

export class BrowserNotifications {
  #permission = $state<BrowserPermission>(permissionNow());

  /** `unsupported` also where the desktop app shows them. */
  get permission(): BrowserPermission {
    return this.#permission;
  }

  /** Asks the person; only ever called from a click, which browsers want. */
  async ask(): Promise<void> {
    if (this.#permission === 'unsupported') return;
    this.#permission = await Notification.requestPermission();
  }

  /** Shows one if the page is hidden and it may. The same tag replaces what stood there. */
  show(what: { tag: string; title: string; text: string; href: string }): void {
    if (this.#permission !== 'granted' || document.visibilityState === 'visible') return;
    const shown = new Notification(what.title, { body: what.text, tag: what.tag });
    shown.onclick = () => {
      window.focus();
      window.location.hash = what.href;
      shown.close();
    };
  }
}

function permissionNow(): BrowserPermission {
  if (desktopMark in window || !('Notification' in window)) return 'unsupported';
  return Notification.permission;
}
