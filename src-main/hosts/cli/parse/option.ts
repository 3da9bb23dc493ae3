// Readers of option values, in the form commander wants them.
import { InvalidArgumentError } from 'commander';
import { AppError } from '../../../contract/errors.ts';

/** Makes a reader's refusal one of commander, which adds the name of the option. */
export function reading<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      if (error instanceof AppError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

/** For options that may be given several times: collects what is read, in order. */
export function collecting<T>(
  read: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  const readOne = reading(read);
  return (text, before = []) => [...before, readOne(text)];
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Text as it is. */
export function asIs(text: string): string {
  return text;
}
