// What runs first, and little: it asks for the core, the app and the page one begins on all at once.
import './fonts.ts';
import './tokens.css';
import './base.css';
import { desktopMark } from '../../src-main/contract/wire/page-words.ts';
import { parseHash } from '../lib/address.ts';
import { beginSocket } from '../lib/early-socket.ts';
import { fetchAgain, mendStyles } from '../lib/fetch-again.ts';
import { showKeptTheme } from '../lib/theme-choice.ts';
import { fetchPage, pageAt } from './page-code.ts';

showKeptTheme();
const styles = mendStyles();
// The desktop host hands over a port instead.
if (!(desktopMark in window)) beginSocket();
const address = pageAt(parseHash(window.location.hash).path);
// One that cannot be had is asked for again, and complained about, where it is wanted.
const page = address === undefined ? undefined : fetchPage(address).catch(() => undefined);
try {
  const app = fetchAgain(() => import('./start.ts'));
  const [{ startApp }] = await Promise.all([app, page, styles]);
  startApp();
  document.getElementById('start-trouble')?.remove();
} catch (error) {
  showStartTrouble();
  throw error;
}

/** The words stand in index.html, where they also serve without this script. */
function showStartTrouble(): void {
  const trouble = document.getElementById('start-trouble');
  trouble?.classList.add('known');
  trouble?.querySelector('a')?.addEventListener('click', (event) => {
    // A link to the page itself would leave the place in it behind.
    event.preventDefault();
    window.location.reload();
  });
}
