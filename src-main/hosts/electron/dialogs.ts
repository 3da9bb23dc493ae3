// The questions the host asks, as data for Electron's message boxes.
import type { ElectronApi } from './electron-api.ts';
import { whatGoesOn, type WorkAtHand } from './quitting.ts';

export type QuitAnswer = 'quit' | 'background' | 'stay';
const quitAnswers: readonly QuitAnswer[] = ['quit', 'background', 'stay'];

/** Asked where quitting leaves tasks waiting. */
export async function askToQuit(
  dialog: ElectronApi['dialog'],
  work: WorkAtHand,
): Promise<QuitAnswer> {
  const { response } = await dialog.showMessageBox({
    type: 'question',
    title: 'Quit KohakuRiver?',
    message: 'Quit, and leave the queue until the next start?',
    detail: whatGoesOn(work) ?? '',
    buttons: ['Quit', 'Keep Running in the Background', 'Cancel'],
    defaultId: 1,
    cancelId: 2,
    noLink: true,
  });
  return quitAnswers[response] ?? 'stay';
}

export interface CloseAnswer {
  action: QuitAnswer;
  /** Do so from now on. */
  isForGood: boolean;
}

/** Asked when the last window closes while there is work to look after. */
export async function askWhenClosing(
  dialog: ElectronApi['dialog'],
  work: WorkAtHand,
): Promise<CloseAnswer> {
  const { response, checkboxChecked } = await dialog.showMessageBox({
    type: 'question',
    title: 'Close the window',
    message: 'Keep KohakuRiver running in the background?',
    detail: `In the background it goes on starting what waits, and its icon in the tray brings the window back. After quitting: ${whatGoesOn(work) ?? 'nothing is left to do.'}`,
    buttons: ['Keep Running in the Background', 'Quit', 'Cancel'],
    checkboxLabel: 'Do this from now on (Settings changes it)',
    defaultId: 0,
    cancelId: 2,
    noLink: true,
  });
  const action = (['background', 'quit', 'stay'] as const)[response] ?? 'stay';
  return { action, isForGood: checkboxChecked && action !== 'stay' };
}
