// Light, dark, or as the system has it, as the page itself remembers it: known before the core answers.
export const themeChoices = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const storageKey = 'kohakuriver.theme';

export function isThemeChoice(value: unknown): value is ThemeChoice {
  return (themeChoices as readonly unknown[]).includes(value);
}

/** What was shown last on this page. */
export function keptTheme(): ThemeChoice {
  const kept = window.localStorage.getItem(storageKey);
  return isThemeChoice(kept) ? kept : 'system';
}

/** Shows a theme, and remembers it. */
export function showTheme(choice: ThemeChoice): void {
  window.localStorage.setItem(storageKey, choice);
  if (choice === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
}

/** The first paint has the right colours already. */
export function showKeptTheme(): void {
  showTheme(keptTheme());
}
