// Parts of the app that did not come, asked for again. A browser gives up all that it is fetching when the
// computer's network changes, also what comes from this computer: a VPN that comes up is enough, or a container
// that starts on a core beside it.

/** Before each further try. */
const pausesMs = [200, 1000, 3000];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Loads a part of the app, up to four times within about four seconds. Rejects with what the last try said. */
export async function fetchAgain<Part>(load: () => Promise<Part>): Promise<Part> {
  for (const ms of pausesMs) {
    try {
      return await load();
    } catch {
      await pause(ms);
    }
  }
  return load();
}

/**
 * Asks again for each stylesheet of the page that did not come, and does so from now on for those that are added
 * later. To be called once, by what runs first. Resolves when all that were missing are there; rejects with an
 * Error when one of them cannot be had.
 */
export async function mendStyles(): Promise<void> {
  // What goes wrong later leaves a page that can be used: there is nothing to stop for.
  const mend = (link: HTMLLinkElement) => void styleAgain(link).catch(reportError);
  document.addEventListener(
    'error',
    ({ target }) => {
      if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') mend(target);
    },
    { capture: true },
  );
  // Scripts wait for the stylesheets that stand before them: one that has none by now has failed.
  const links = document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]');
  const missing = [...links].filter(({ sheet }) => sheet === null);
  await Promise.all(missing.map(styleAgain));
}

/** In the place of the one that failed, so that what overrules what stays as it was. */
async function styleAgain(failed: HTMLLinkElement): Promise<void> {
  for (const ms of pausesMs) {
    await pause(ms);
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.crossOrigin = failed.crossOrigin;
    link.href = failed.href;
    const hasCome = await new Promise<boolean>((resolve) => {
      link.addEventListener('load', () => resolve(true));
      link.addEventListener('error', (event) => {
        event.stopPropagation();
        resolve(false);
      });
      failed.after(link);
    });
    (hasCome ? failed : link).remove();
    if (hasCome) return;
  }
  throw new Error(`The stylesheet ${failed.href} cannot be had.`);
}
