// Two texts side by side, with what differs marked. Fetched when somebody compares.
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, highlightSpecialChars, lineNumbers } from '@codemirror/view';
import { looks } from './editor-looks.ts';

export interface ComparisonOptions {
  readonly parent: HTMLElement;
  readonly left: { readonly text: string; readonly label: string };
  readonly right: { readonly text: string; readonly label: string };
}

const marks = EditorView.theme({
  '&.cm-merge-a .cm-changedText, &.cm-merge-a .cm-deletedChunk': { background: 'none' },
  '.cm-changedText': { background: 'color-mix(in srgb, var(--accent) 32%, transparent)' },
  '.cm-changedLine': { backgroundColor: 'var(--surface-active)' },
  '.cm-collapsedLines': {
    color: 'var(--text-muted)',
    background: 'var(--surface-hover)',
  },
});

/** Shows both; what it returns takes them away. */
export function openComparison({ parent, left, right }: ComparisonOptions): () => void {
  const side = ({ text, label }: ComparisonOptions['left']) => ({
    doc: text,
    extensions: extensions(label),
  });
  const view = new MergeView({
    parent,
    a: side(left),
    b: side(right),
    collapseUnchanged: { margin: 3, minSize: 6 },
    // Two texts that have nothing in common are not compared letter by letter for seconds.
    diffConfig: { scanLimit: 2000, timeout: 300 },
  });
  return () => view.destroy();
}

function extensions(label: string): Extension {
  return [
    lineNumbers(),
    highlightSpecialChars(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': label }),
    looks({}),
    marks,
  ];
}
