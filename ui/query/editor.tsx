/**
 * CodeMirror in React: the editor owns the text while it is typed and reports each change.
 */
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useLayoutEffect, useRef, type ReactNode } from 'react';
import { editorExtensions } from './editor-extensions.ts';

interface EditorProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
  readonly isFocused: boolean;
}

export function Editor({ text, onChange, onRun, isFocused }: EditorProps): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ text, onChange, onRun });
  useLayoutEffect(() => {
    latest.current = { text, onChange, onRun };
  });

  useEffect(() => {
    if (!host.current) return undefined;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          editorExtensions(() => latest.current.onRun()),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    if (isFocused) made.focus();
    return () => {
      made.destroy();
      view.current = null;
    };
    // `isFocused` counts only at the start.
  }, []);

  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() === text) return;
    shown.dispatch({
      changes: { from: 0, to: shown.state.doc.length, insert: text },
      selection: { anchor: text.length },
    });
  }, [text]);

  return <div ref={host} className="editor" />;
}
