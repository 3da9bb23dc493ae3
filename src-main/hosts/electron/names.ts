/** Where the app's window is loaded from: a scheme and a host of our own instead of `file:`. */
export const appOrigin = 'app://kohakuriver';

/** Of links that other programs open in the app: `kohakuriver://task/<id>`. */
export const linkScheme = 'kohakuriver';

/** Who the app is to Windows (notifications, taskbar); `appId` of electron-builder.yml. */
export const appUserModelId = 'org.kohakuriver.desktop';

/** Starts without a window, as at login. */
export const backgroundFlag = '--background';

/** Channels between preload and main: the page wants a port; main gives one. */
export const channels = { wireWanted: 'wire-wanted', wirePort: 'wire-port' } as const;
