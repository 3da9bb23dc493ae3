// Signal numbers as exit codes show them: 128 + n, the convention of shells and of the Engine.

const byNumber: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/**
 * The signal behind an exit code above 128, by Linux's numbers (signal(7)); null for every other
 * code. A program may choose such a code itself: nobody can tell the two apart.
 */
export function signalOfExitCode(exitCode: number): string | null {
  return byNumber[exitCode - 128] ?? null;
}
