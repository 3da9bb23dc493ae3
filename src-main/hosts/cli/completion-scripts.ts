// Completion for shells, static: words and options, not what is in the core. A command line must
// not start a core because somebody pressed Tab.
import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;

/** One place in the tree of commands and what may follow it. */
interface Place {
  /** Words that lead there: `task submit`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly description: string }[];
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

/** A script that completes the program in a shell. */
export function completionScript(program: Command, shell: (typeof shells)[number]): string {
  const places = placesOf(program, '', optionsOf(program));
  switch (shell) {
    case 'bash':
      return bash(places);
    case 'zsh':
      return zsh(places);
    case 'fish':
      return fish(places);
  }
}

function placesOf(command: Command, path: string, inherited: Place['options']): Place[] {
  const isProgram = path === '' && command.parent === null;
  const words = command.commands.map((child) => ({
    word: child.name(),
    description: child.description(),
  }));
  const options = isProgram ? inherited : [...optionsOf(command), ...inherited];
  const here: Place = {
    path,
    words,
    options: [...options, { flag: '--help', description: 'help' }],
  };
  const below = command.commands.flatMap((child) =>
    placesOf(child, path === '' ? child.name() : `${path} ${child.name()}`, inherited),
  );
  return [here, ...below];
}

function optionsOf(command: Command): Place['options'] {
  return command.options.flatMap(({ long, description }) =>
    long == null ? [] : [{ flag: long, description }],
  );
}

/** A `case` over the words so far: each word that leads somewhere makes the path longer. */
function pathLoop(places: readonly Place[], words: string): string {
  const known = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `  for word in ${words}; do
    [ "$word" = -- ] && return
    case "\${path:+$path }$word" in
      ${known.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done`;
}

function candidates({ words, options }: Place): string {
  return [...words.map(({ word }) => word), ...options.map(({ flag }) => flag)].join(' ');
}

function cases(places: readonly Place[], body: (place: Place) => string): string {
  return places.map((place) => `    '${place.path}') ${body(place)} ;;`).join('\n');
}

function bash(places: readonly Place[]): string {
  return `# bash completion for kohakuriver: source <(kohakuriver completion bash)
_kohakuriver() {
  local word path='' words=''
${pathLoop(places, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  case "$path" in
${cases(places, (place) => `words='${candidates(place)}'`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _kohakuriver kohakuriver
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef kohakuriver
# zsh completion for kohakuriver: source <(kohakuriver completion zsh)
_kohakuriver() {
  local word path_so_far=''
  local -a candidates
${pathLoop(places, '"${(@)words[2,CURRENT-1]}"').replaceAll('path', 'path_so_far')}
  case "$path_so_far" in
${cases(places, (place) => `candidates=(${described(place)})`)}
  esac
  _describe 'kohakuriver' candidates || _files
}
compdef _kohakuriver kohakuriver
`;
}

function described({ words, options }: Place): string {
  return [
    ...words.map(({ word, description }) => quoted(`${word}:${description}`)),
    ...options.map(({ flag, description }) => quoted(`${flag}:${description}`)),
  ].join(' ');
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, options }) => {
    const condition = quoted(`test (__kohakuriver_path) = "${path}"`);
    return [
      ...words.map(
        ({ word, description }) =>
          `complete -c kohakuriver -n ${condition} -f -a ${word} -d ${quoted(description)}`,
      ),
      ...options.map(
        ({ flag, description }) =>
          `complete -c kohakuriver -n ${condition} -l ${flag.slice(2)} -d ${quoted(description)}`,
      ),
    ];
  });
  const known = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# fish completion for kohakuriver: kohakuriver completion fish | source
function __kohakuriver_path
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim "$path $word")
    contains -- $longer ${known.join(' ')}; and set path $longer
  end
  echo "$path"
end
${lines.join('\n')}
`;
}

/** For descriptions of ours in single quotes; they hold none. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
