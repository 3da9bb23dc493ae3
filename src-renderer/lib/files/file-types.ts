/** What browsers draw without running anything. SVG is text: it is shown as such. */
const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
};

/** The type of an image, by the ending of its name; undefined for anything else. */
export function imageTypeOf(name: string): string | undefined {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(imageTypes, ending) ? imageTypes[ending] : undefined;
}

/** What is a table, and what stands between its columns. */
export function separatorOf(name: string): ',' | '\t' | undefined {
  if (/\.csv$/i.test(name)) return ',';
  return /\.(tsv|tab)$/i.test(name) ? '\t' : undefined;
}
