/** The name with a number before its ending, from the second try on: `a.txt`, `a (2).txt`, … */
export function freeName(name: string, tries: number): string {
  if (tries === 0) return name;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return `${stem} (${tries + 1})${ending}`;
}
