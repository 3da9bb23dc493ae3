import type { Refusal } from './gate.ts';

/** What a refused request is answered with. */
export const refusals: Readonly<Record<Refusal, { status: number; title: string; text: string }>> =
  {
    'wrong-host': {
      status: 421,
      title: 'Not under this name',
      text: 'This server does not go by that name. Use its address, or the URL that "kohakuriver serve" printed.',
    },
    'wrong-origin': {
      status: 403,
      title: 'Not from another page',
      text: 'Pages of other sites may not talk to this server.',
    },
    'not-signed-in': {
      status: 401,
      title: 'This browser is not signed in',
      text: 'Open the URL that "kohakuriver serve" printed when it started: it carries a token that signs this browser in. The token works once; start "kohakuriver serve" again for a new one.',
    },
    'too-many-failures': {
      status: 429,
      title: 'Too many attempts',
      text: 'Too many wrong tokens came from this address. Wait a minute.',
    },
  };
