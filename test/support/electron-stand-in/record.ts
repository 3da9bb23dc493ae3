/** What the app asked of Electron, for tests to look at. */
export const recorded = {
  dialogs: [] as { message: string; detail: string; buttons: string[] }[],
  errorBoxes: [] as { title: string; content: string }[],
  notifications: [] as { title: string; body: string }[],
  opened: [] as string[],
  drags: [] as { file: string; icon: string }[],
  navigations: [] as { url: string; isPrevented: boolean }[],
  windowsAsked: [] as { url: string; answer: string }[],
  foreignRequests: [] as string[],
  loginItems: [] as unknown[],
  tray: { icon: '', toolTip: '' },
  windowOptions: [] as object[],
  schemes: [] as object[],
  isSandboxed: false,
  crashReporter: undefined as object | undefined,
};

/** Answers for the next message boxes; without one the box is cancelled. */
export const answers: { response: number; checkboxChecked: boolean }[] = [];
