// Programs that keep a terminal's shell on the far side while nobody is connected.

export const keepers = ['tmux', 'screen', 'abduco'] as const;
export type Keeper = (typeof keepers)[number];

/** What a person chose: none, one of them, or whichever is there. */
export type KeeperChoice = 'off' | 'any' | Keeper;

/** Prints which of its arguments can be run, in their order. */
export const findKeeperScript =
  'for k in "$@"; do command -v "$k" >/dev/null 2>&1 && echo "$k"; done; :';

/** The keepers worth looking for, best first. */
export function wantedKeepers(choice: KeeperChoice): readonly Keeper[] {
  if (choice === 'off') return [];
  return choice === 'any' ? keepers : [choice];
}

/** The first of those wanted that the script found. Its output is the far side's word. */
export function foundKeeper(wanted: readonly Keeper[], output: string): Keeper | null {
  const found = new Set(output.split('\n').map((line) => line.trim()));
  return wanted.find((keeper) => found.has(keeper)) ?? null;
}

/** Starts the shell under a name, or goes back into it where it is kept. */
export function keptShell(keeper: Keeper, name: string, shell: readonly string[]): string[] {
  switch (keeper) {
    case 'tmux':
      // A server of its own: the user's sessions and settings of windows are left alone.
      return [
        'tmux',
        '-u',
        '-L',
        'kohakuriver',
        'new-session',
        '-A',
        '-s',
        name,
        ...shell,
        ';',
        'set',
        'status',
        'off',
      ];
    case 'screen':
      return ['screen', '-U', '-D', '-R', '-S', name, ...shell];
    case 'abduco':
      return ['abduco', '-A', name, ...shell];
  }
}

/** Ends what is kept under a name; undefined where ending the program that is attached has to do. */
export function endKept(keeper: Keeper, name: string): string[] | undefined {
  switch (keeper) {
    case 'tmux':
      return ['tmux', '-L', 'kohakuriver', 'kill-session', '-t', name];
    case 'screen':
      return ['screen', '-S', name, '-X', 'quit'];
    case 'abduco':
      return undefined;
  }
}
