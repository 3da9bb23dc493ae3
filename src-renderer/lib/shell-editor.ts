// The editor of shell scripts: the only place that makes one of CodeMirror for the submit form.
// Fetched when a script is first written; until then a plain text area does.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  bracketMatching,
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
import { colours, looks } from './editor-looks.ts';

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
        looks({ minHeight: '146px', maxHeight: '420px' }),
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
