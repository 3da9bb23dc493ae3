// The editor of files: CodeMirror with the syntax of what is opened. Fetched when a file is opened.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
  bracketMatching,
  indentOnInput,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { gotoLine, highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import {
  Compartment,
  EditorState,
  Text,
  type Extension,
  type TransactionSpec,
} from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { languageOf } from './languages.ts';
import { colours, looks } from './editor-looks.ts';

/** A text that is edited: it lives on, with its history and its selection, while nothing shows it. */
export interface TextDocument {
  /** As it is to be saved: with the line ends it had. */
  text(): string;
  /** What is in it now, to say later that this was saved. */
  version(): TextVersion;
  /** From now on, this is what «changed» is told by. */
  markSaved(version: TextVersion): void;
  /** Another text in its place, which counts as saved. The selection stays as far as it can. */
  replace(text: string): void;
  /** Shows it in an element, until it is shown elsewhere or hidden. */
  show(parent: HTMLElement): void;
  hide(): void;
  focus(): void;
  /** Puts the cursor at the beginning of a line, counted from one. */
  goTo(line: number): void;
  /** Long lines go on below instead of to the right. */
  setWrapped(isWrapped: boolean): void;
  /** The lines end with CR LF. */
  readonly isWindows: boolean;
  readonly isReadOnly: boolean;
}

declare const versionBrand: unique symbol;
export interface TextVersion {
  readonly [versionBrand]: true;
}

export interface TextDocumentOptions {
  readonly text: string;
  readonly name: string;
  readonly label: string;
  readonly isReadOnly: boolean;
  readonly onChange: (isChanged: boolean) => void;
  readonly onSave: () => void;
  /** Line and column, counted from one. */
  readonly onCursor?: (line: number, column: number) => void;
}

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
  '.cm-panel.cm-search, .cm-panel.cm-gotoLine': {
    padding: '8px 32px 8px 12px',
    fontFamily: 'var(--font)',
  },
  '.cm-panel.cm-search label, .cm-panel.cm-gotoLine label': { fontSize: 'var(--size-small)' },
  '.cm-textfield': {
    border: '1px solid var(--line-control)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--surface-sunken)',
    padding: '2px 6px',
    fontSize: 'var(--size-small)',
  },
  '.cm-button': {
    fontSize: 'var(--size-small)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    backgroundImage: 'none',
    backgroundColor: 'var(--surface)',
  },
});

/** Where both kinds of line ends are, CR is kept as the character it is. */
function lineEndOf(text: string): '\r\n' | '\n' {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

function docOf(text: string): Text {
  return Text.of(text.split(lineEndOf(text)));
}

/** Begins with a text; nothing is shown yet. */
export function openDocument(options: TextDocumentOptions): TextDocument {
  return new OpenDocument(options);
}

class OpenDocument implements TextDocument {
  readonly #options: TextDocumentOptions;
  readonly #syntax = new Compartment();
  readonly #lineEnds = new Compartment();
  readonly #wrapping = new Compartment();
  #state: EditorState;
  #saved: Text;
  #view: EditorView | undefined;
  #scrollTop = 0;

  constructor(options: TextDocumentOptions) {
    this.#options = options;
    this.#saved = docOf(options.text);
    this.#state = EditorState.create({ doc: this.#saved, extensions: this.#extensions() });
    void languageOf(options.name)?.then((parser) => {
      const effects = this.#syntax.reconfigure(StreamLanguage.define(parser));
      this.#dispatch({ effects });
    });
  }

  get isWindows(): boolean {
    return this.#now.lineBreak === '\r\n';
  }

  get isReadOnly(): boolean {
    return this.#options.isReadOnly;
  }

  get #now(): EditorState {
    return this.#view?.state ?? this.#state;
  }

  text(): string {
    return this.#now.sliceDoc();
  }

  version(): TextVersion {
    return this.#now.doc as unknown as TextVersion;
  }

  markSaved(version: TextVersion): void {
    this.#saved = version as unknown as Text;
    this.#options.onChange(!this.#now.doc.eq(this.#saved));
  }

  replace(text: string): void {
    const next = docOf(text);
    const before = this.#now.doc;
    const { from, tail } = sameEnds(before, next);
    const lineEnd = EditorState.lineSeparator.of(lineEndOf(text));
    this.#saved = next;
    this.#dispatch({
      changes: { from, to: before.length - tail, insert: next.slice(from, next.length - tail) },
      effects: this.#lineEnds.reconfigure(lineEnd),
    });
    this.#options.onChange(false);
  }

  show(parent: HTMLElement): void {
    this.hide();
    const view = new EditorView({ parent, state: this.#state });
    this.#view = view;
    const top = this.#scrollTop;
    view.requestMeasure({ read: () => undefined, write: () => (view.scrollDOM.scrollTop = top) });
  }

  hide(): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#state = view.state;
    this.#scrollTop = view.scrollDOM.scrollTop;
    this.#view = undefined;
    view.destroy();
  }

  focus(): void {
    this.#view?.focus();
  }

  goTo(line: number): void {
    const { doc } = this.#now;
    const { from } = doc.line(Math.min(doc.lines, Math.max(1, line)));
    const effects = EditorView.scrollIntoView(from, { y: 'center' });
    this.#dispatch({ selection: { anchor: from }, effects });
  }

  setWrapped(isWrapped: boolean): void {
    this.#dispatch({
      effects: this.#wrapping.reconfigure(isWrapped ? EditorView.lineWrapping : []),
    });
  }

  #dispatch(spec: TransactionSpec): void {
    if (this.#view === undefined) this.#state = this.#state.update(spec).state;
    else this.#view.dispatch(spec);
  }

  #extensions(): Extension[] {
    const { isReadOnly, label, onSave, onChange, onCursor, text } = this.#options;
    return [
      this.#lineEnds.of(EditorState.lineSeparator.of(lineEndOf(text))),
      this.#wrapping.of([]),
      this.#syntax.of([]),
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
      syntaxHighlighting(colours),
      looks({ height: '100%' }),
      frame,
      EditorView.contentAttributes.of({ spellcheck: 'false', 'aria-label': label }),
      keymap.of([
        { key: 'Mod-s', run: () => (onSave(), true), preventDefault: true },
        { key: 'Ctrl-g', run: gotoLine, preventDefault: true },
        ...searchKeymap,
        ...defaultKeymap,
        ...historyKeymap,
        indentWithTab,
      ]),
      EditorView.updateListener.of(({ docChanged, selectionSet, state }) => {
        if (docChanged) onChange(!state.doc.eq(this.#saved));
        if (!docChanged && !selectionSet) return;
        const { head } = state.selection.main;
        const line = state.doc.lineAt(head);
        onCursor?.(line.number, head - line.from + 1);
      }),
    ];
  }
}

/** How much two texts have in common at their beginning and, behind that, at their end. */
function sameEnds(a: Text, b: Text): { from: number; tail: number } {
  const [left, right] = [a.toString(), b.toString()];
  const most = Math.min(left.length, right.length);
  let from = 0;
  while (from < most && left.charCodeAt(from) === right.charCodeAt(from)) from += 1;
  let tail = 0;
  while (
    tail < most - from &&
    left.charCodeAt(left.length - 1 - tail) === right.charCodeAt(right.length - 1 - tail)
  )
    tail += 1;
  return { from, tail };
}
