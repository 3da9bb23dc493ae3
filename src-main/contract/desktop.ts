// What the desktop app offers its own page beside the core: a second contract over a port of its
// own. The core knows nothing of it; in a browser there is none, and what needs it is not shown.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { errorShape } from './errors.ts';
import { instant } from './ids.ts';
import { hostKeyConsent, hostKeyReport, sshDestination } from './node.ts';
import { feedOf } from './procedures.ts';

/** How this app behaves on this computer, whichever core it shows. */
export const desktopPreferences = z.strictObject({
  /** What closing the window does while there is work to look after. */
  whenWindowCloses: z.enum(['ask', 'background', 'quit']),
  startAtLogin: z.boolean(),
  /** Which ends of tasks the system tells of. */
  notifications: z.enum(['all', 'failures', 'none']),
  /** Looks for new versions once a day. */
  checkForUpdates: z.boolean(),
});
export type DesktopPreferences = z.infer<typeof desktopPreferences>;

/** The core of this computer, in the list of cores. */
export const coreHere = 'here';

/** Where a core lives that is not on this computer. */
export const coreAddress = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('url'), url: z.url({ protocol: /^https?$/ }).max(2048) }),
  z.strictObject({
    kind: z.literal('ssh'),
    destination: sshDestination,
    /** On that computer; absent: the usual place there. */
    dataDir: z.string().min(1).max(4096).optional(),
  }),
]);
export type CoreAddress = z.infer<typeof coreAddress>;

export const knownCore = z.object({
  /** `here`, or the ID it got when it was added. */
  id: z.string(),
  name: z.string(),
  /** Null for the core of this computer. */
  address: coreAddress.nullable(),
  /** Whether its token outlives this session; null where there is none. */
  secret: z.enum(['kept', 'session']).nullable(),
});
export type KnownCore = z.infer<typeof knownCore>;

export const desktopState = z.object({
  platform: z.enum(['linux', 'darwin', 'win32', 'other']),
  preferences: desktopPreferences,
  /** False where this build cannot look for new versions (no place to look is written into it). */
  canUpdate: z.boolean(),
  /** Version that can be installed; null while none is known. */
  newVersion: z.string().nullable(),
  /** Whether the system's keychain keeps secrets. */
  hasKeychain: z.boolean(),
  cores: z.array(knownCore),
  /** The core the window shows. */
  current: z.string(),
  /** Why that core could not be reached the last time; null when it could. */
  problem: errorShape.nullable(),
});
export type DesktopState = z.infer<typeof desktopState>;

/** What the menu, the tray, a notification or a link from outside wants the page to do. */
export const wish = z.discriminatedUnion('do', [
  z.object({ do: z.literal('go'), path: z.array(z.string()) }),
  z.object({ do: z.literal('palette') }),
  z.object({ do: z.literal('add-node') }),
  z.object({ do: z.literal('cores') }),
]);
export type Wish = z.infer<typeof wish>;

/** Something that went wrong, kept on this computer and nowhere else. */
export const trouble = z.object({
  id: z.string(),
  at: instant,
  kind: z.enum(['main', 'page', 'page-crash', 'process-crash']),
  message: z.string(),
  details: z.string(),
  version: z.string(),
});
export type Trouble = z.infer<typeof trouble>;

const coreRef = z.object({ id: z.string().min(1).max(64) });

const cores = {
  /** The host keys on the way to a core behind SSH, without signing in. */
  inspect: oc
    .input(z.object({ destination: sshDestination }))
    .output(z.object({ hostKeys: z.array(hostKeyReport) })),
  /** Tries the core, keeps it in the list, and shows it. */
  add: oc
    .input(
      z.object({
        name: z.string().trim().min(1).max(64),
        address: coreAddress,
        /** For a URL: its access token. */
        token: z.string().min(1).max(4096).optional(),
        consent: hostKeyConsent.optional(),
      }),
    )
    .output(knownCore),
  switchTo: oc.input(coreRef).output(z.object({ id: z.string() })),
  forget: oc.input(coreRef).output(z.object({ id: z.string() })),
};

const desktop = {
  watch: oc.output(feedOf(desktopState, desktopState)),
  /** The wishes nobody has heard yet, then each new one. */
  watchWishes: oc.output(feedOf(z.array(wish), wish)),
  setPreferences: oc.input(desktopPreferences.partial()).output(desktopPreferences),
  /** What is worth knowing about this app when something is wrong, in lines. */
  diagnostics: oc.output(z.array(z.object({ label: z.string(), value: z.string() }))),
  troubles: oc.output(z.array(trouble)),
  removeTroubles: oc.output(z.object({ removed: z.number().int() })),
  /** An error of the page that nothing caught. */
  reportTrouble: oc
    .input(z.object({ message: z.string().max(2000), details: z.string().max(20_000) }))
    .output(z.object({ id: z.string() })),
  /** Starts dragging a file of this computer out of the window. The mouse button must be down. */
  dragOut: oc
    .input(z.object({ path: z.string().min(1).max(4096) }))
    .output(z.object({ path: z.string() })),
  /** Closes the window and goes on in the background. */
  keepInBackground: oc.output(z.object({ isInBackground: z.boolean() })),
  quit: oc.output(z.object({ isQuitting: z.boolean() })),
  installUpdate: oc.output(z.object({ version: z.string() })),
};

export const desktopContract = { cores, desktop };
export type DesktopContract = typeof desktopContract;
