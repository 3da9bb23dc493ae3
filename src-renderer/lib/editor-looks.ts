// How every editor of the app looks, from the tokens of its theme.
import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

export const colours = HighlightStyle.define([
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

/** The frame of the text; its heights are the page's to say. */
export const looks = (heights: { minHeight?: string; maxHeight?: string; height?: string }) =>
  EditorView.theme({
    '&': { fontSize: 'var(--size-small)', color: 'var(--text)', backgroundColor: 'transparent' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': {
      fontFamily: 'var(--font-mono)',
      lineHeight: '18px',
      ...heights,
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
