// The editor of shell scripts: the only place that makes one of CodeMirror for the submit form.
// Fetched when a script is first written; until then a plain text area does.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from '@codemirror/language';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

export interface ShellEditor {
  setText(text: string): void;
  /** Attributes of the element that is typed into, such as `aria-invalid`. */
  setAttributes(attributes: Readonly<Record<string, string>>): void;
  focus(): void;
  destroy(): void;
}

export interface ShellEditorOptions {
  readonly parent: HTMLElement;
  readonly text: string;
  readonly placeholder: string;
  readonly onChange: (text: string) => void;
}

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--paused)' },
  {
    tag: [tags.standard(tags.variableName), tags.function(tags.variableName)],
    color: 'var(--series-2)',
  },
  { tag: [tags.definition(tags.variableName), tags.variableName], color: 'var(--running)' },
  { tag: tags.string, color: 'var(--done)' },
  { tag: tags.number, color: 'var(--series-3)' },
  { tag: tags.attributeName, color: 'var(--series-2)' },
  { tag: tags.comment, color: 'var(--text-faint)', fontStyle: 'italic' },
  { tag: [tags.operator, tags.punctuation], color: 'var(--text-muted)' },
]);

const looks = EditorView.theme({
  '&': { fontSize: 'var(--size-small)', color: 'var(--text)', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': {
    fontFamily: 'var(--font-mono)',
    lineHeight: '18px',
    minHeight: '146px',
    maxHeight: '420px',
  },
  '.cm-content': { padding: '7px 0', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--text-faint)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 8px 0 6px', minWidth: '30px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    {
      background: 'color-mix(in srgb, var(--accent) 35%, transparent)',
    },
  '.cm-matchingBracket': { backgroundColor: 'var(--surface-active)' },
});

/** Opens an editor. Tab is left to the page, so that keys can leave it; Enter keeps the indent. */
export function openShellEditor(options: ShellEditorOptions): ShellEditor {
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        highlightSpecialChars(),
        indentOnInput(),
        indentUnit.of('  '),
        bracketMatching(),
        StreamLanguage.define(shell),
        syntaxHighlighting(colours),
        looks,
        placeholder(options.placeholder),
        EditorView.contentAttributes.of({ spellcheck: 'false', autocapitalize: 'off' }),
        // Ctrl-Enter submits the form, so it is not the editor's.
        keymap.of([...defaultKeymap.filter(({ key }) => key !== 'Mod-Enter'), ...historyKeymap]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText: (text) => {
      const { doc } = view.state;
      if (doc.toString() !== text)
        view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
    },
    setAttributes: (attributes) => {
      for (const name of ['id', 'aria-label', 'aria-describedby', 'aria-invalid']) {
        const value = attributes[name];
        if (value === undefined) view.contentDOM.removeAttribute(name);
        else view.contentDOM.setAttribute(name, value);
      }
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
