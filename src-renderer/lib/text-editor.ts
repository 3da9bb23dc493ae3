// The editor of files: CodeMirror with the syntax of what is opened. Fetched when a file is opened.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
  bracketMatching,
  indentOnInput,
  StreamLanguage,
  syntaxHighlighting,
  type StreamParser,
} from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { colours, looks } from './editor-looks.ts';

export interface TextEditor {
  /** As it is to be saved: with the line ends it had. */
  text(): string;
  /** From now on, this is what «changed» is told by. */
  markSaved(): void;
  focus(): void;
  destroy(): void;
}

export interface TextEditorOptions {
  readonly parent: HTMLElement;
  readonly text: string;
  readonly name: string;
  readonly label: string;
  readonly isReadOnly: boolean;
  readonly onChange: (isChanged: boolean) => void;
  readonly onSave: () => void;
}

type Load = () => Promise<StreamParser<unknown>>;

const shell: Load = async () => (await import('@codemirror/legacy-modes/mode/shell')).shell;
const python: Load = async () => (await import('@codemirror/legacy-modes/mode/python')).python;
const yaml: Load = async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml;
const script: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/javascript')).javascript;
const typed: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/javascript')).typescript;
const json: Load = async () => (await import('@codemirror/legacy-modes/mode/javascript')).json;
const clike: Load = async () => (await import('@codemirror/legacy-modes/mode/clike')).cpp;
const html: Load = async () => (await import('@codemirror/legacy-modes/mode/xml')).html;
const properties: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/properties')).properties;

const languages: Readonly<Record<string, Load>> = {
  ...{ sh: shell, bash: shell, zsh: shell, bashrc: shell, profile: shell, py: python, pyi: python },
  ...{ yaml, yml: yaml, js: script, mjs: script, cjs: script, ts: typed, tsx: typed, json },
  ...{ c: clike, h: clike, cc: clike, cpp: clike, hpp: clike, cu: clike, cuh: clike },
  ...{ html, xml: html, svg: html, ini: properties, conf: properties, cfg: properties },
  toml: async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  css: async () => (await import('@codemirror/legacy-modes/mode/css')).css,
  rs: async () => (await import('@codemirror/legacy-modes/mode/rust')).rust,
  go: async () => (await import('@codemirror/legacy-modes/mode/go')).go,
  diff: async () => (await import('@codemirror/legacy-modes/mode/diff')).diff,
  sql: async () => (await import('@codemirror/legacy-modes/mode/sql')).standardSQL,
  dockerfile: async () => (await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile,
};

/** The whole of its place, and the search in the app's own looks. */
const frame = EditorView.theme({
  '&': { height: '100%' },
  '.cm-activeLine': { backgroundColor: 'var(--surface-hover)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--surface-active)' },
  '.cm-searchMatch': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 30%, transparent)',
  },
  '.cm-panels': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    borderBottom: '1px solid var(--line)',
  },
  '.cm-panel.cm-search': { padding: '8px 32px 8px 12px', fontFamily: 'var(--font)' },
  '.cm-panel.cm-search label': { fontSize: 'var(--size-small)' },
  '.cm-textfield': {
    border: '1px solid var(--line-control)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--surface-sunken)',
    padding: '2px 6px',
  },
  '.cm-button': {
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
  },
});

/** Opens an editor on a text. */
export function openTextEditor(options: TextEditorOptions): TextEditor {
  const { parent, text, isReadOnly, onChange, onSave } = options;
  const syntax = new Compartment();
  // Where both kinds of line ends are, CR is kept as the character it is.
  const isWindows = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
  let saved = EditorState.create({ doc: text }).doc;
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorState.lineSeparator.of(isWindows ? '\r\n' : '\n'),
        EditorState.readOnly.of(isReadOnly),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightSpecialChars(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        indentOnInput(),
        bracketMatching(),
        search({ top: true }),
        syntax.of([]),
        syntaxHighlighting(colours),
        looks({ height: '100%' }),
        frame,
        EditorView.contentAttributes.of({ spellcheck: 'false', 'aria-label': options.label }),
        keymap.of([
          { key: 'Mod-s', run: () => (onSave(), true), preventDefault: true },
          ...searchKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(!update.state.doc.eq(saved));
        }),
      ],
    }),
  });
  saved = view.state.doc;
  const ending = options.name.slice(options.name.lastIndexOf('.') + 1).toLowerCase();
  void languages[ending]?.().then((parser) =>
    view.dispatch({ effects: syntax.reconfigure(StreamLanguage.define(parser)) }),
  );
  return {
    text: () => view.state.sliceDoc(),
    markSaved: () => {
      saved = view.state.doc;
      onChange(false);
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
