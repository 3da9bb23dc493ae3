// What the far side of a terminal asks for beyond drawing. It is not trusted: nothing is answered
// twice, copied or opened without the person.
import type { Terminal } from '@xterm/xterm';

export interface FarSide {
  /** A program wants this text on the clipboard (OSC 52). */
  readonly onCopy: (text: string) => void;
  /** The person clicked on a link; only http and https come here. */
  readonly onLink: (url: URL) => void;
}

/** More than that is no text to copy. */
const longestCopy = 1_000_000;

/**
 * Keeps the emulator from answering questions: the core answers for all windows, and a second
 * answer would be typed into the program. Colours are the exception: only a window knows them.
 */
export function muteAnswers({ parser }: Terminal, isFocused: () => boolean): void {
  const mute = (): boolean => true;
  parser.registerCsiHandler({ final: 'c' }, mute);
  parser.registerCsiHandler({ prefix: '>', final: 'c' }, mute);
  parser.registerCsiHandler({ prefix: '=', final: 'c' }, mute);
  parser.registerCsiHandler({ final: 'n' }, mute);
  parser.registerCsiHandler({ prefix: '?', final: 'n' }, mute);
  parser.registerCsiHandler({ prefix: '>', final: 'q' }, mute);
  parser.registerCsiHandler({ intermediates: '$', final: 'p' }, mute);
  parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, mute);
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, mute);
  for (const color of [4, 10, 11, 12]) {
    parser.registerOscHandler(color, (data) => data.includes('?') && !isFocused());
  }
}

export function watchClipboard({ parser }: Terminal, onCopy: FarSide['onCopy']): void {
  parser.registerOscHandler(52, (data) => {
    const text = copiedText(data);
    if (text !== undefined) onCopy(text);
    return true;
  });
}

/** The text of an OSC 52 that sets the clipboard; undefined for one that asks for it, or for nonsense. */
export function copiedText(data: string): string | undefined {
  const encoded = data.slice(data.indexOf(';') + 1);
  if (encoded === '' || encoded === '?' || encoded.length > longestCopy) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A link as it may be offered; undefined for anything but http and https. */
export function safeUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/** Text as it may be typed for a person: no control characters but tabs and line ends. */
export function cleanPaste(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must go
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '');
}

/** Whether pasting would run something before the person has seen it. */
export function wantsWarning(text: string, isBracketed: boolean): boolean {
  return !isBracketed && /[\r\n]./s.test(text.trimEnd() === text ? text : `${text}.`);
}
