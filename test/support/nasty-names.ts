import { textOfBytes } from '../../src-main/domain/files/path-text.ts';

/** Names that break what was not thought through. */
export const nastyNames = [
  '-rf',
  '--help',
  ' ',
  ' both ends ',
  "it's",
  '"quoted" $(touch no) `no` $HOME',
  'back\\slash\\0101',
  'new\nline\n',
  'tab\tand\rreturn',
  '*?[x]',
  '~',
  'ünïcödé-鯉川-🐟',
  '\u{1b}[31mred',
  textOfBytes(Uint8Array.from([0xff, 0xfe, 0x41, 0xc3, 0x28])),
  textOfBytes(Uint8Array.from([0xed, 0xa0, 0x80])),
  '\ufeffbom',
  'a'.repeat(255),
];
