/**
 * The PromQL editor: highlighting and completion as in Prometheus' own page, faults found by the server's parser.
 *
 * Enter runs the query, unless a suggestion goes on with the word that is being typed or was chosen with the arrows. Tab
 * takes a suggestion and else moves on, as everywhere.
 */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  selectedCompletion,
  selectedCompletionIndex,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from '@codemirror/commands';
import { HighlightStyle, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { linter, type Diagnostic } from '@codemirror/lint';
import { Prec, type Extension } from '@codemirror/state';
import { EditorView, drawSelection, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { PromQLExtension, newCompleteStrategy, type CompleteStrategy } from '@prometheus-io/codemirror-promql';
import { routePrefix } from '../api/prefix.ts';
import { PromqlSyntaxError } from '../../src/query/promql/errors.ts';
import { ALL_FEATURES, parseExpr } from '../../src/query/promql/parse/parser.ts';
import { readHistory } from './history.ts';

const LINT_DELAY_MS = 300;
/** Of a past query in the list of suggestions. */
const MAX_SUGGESTION_LENGTH = 80;

export function editorExtensions(onRun: () => void): Extension {
  const strategy = withHistory(newCompleteStrategy({ remote: { url: routePrefix() } }));
  const promql = new PromQLExtension().activateLinter(false).setComplete({ completeStrategy: strategy });
  return [
    Prec.highest(
      keymap.of([
        { key: 'Enter', run: (view) => (wantsSuggestion(view) && acceptCompletion(view)) || run(onRun) },
        { key: 'Tab', run: acceptCompletion },
        { key: 'Shift-Enter', run: insertNewlineAndIndent },
      ]),
    ),
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false }),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
    EditorView.lineWrapping,
    placeholder('Expression, such as rate(prometheus_http_requests_total[5m])'),
    promql.asExtension(),
    linter(findFaults, { delay: LINT_DELAY_MS }),
    syntaxHighlighting(highlight),
    look,
    EditorView.contentAttributes.of({
      'aria-label': 'PromQL expression',
      'data-testid': 'query-editor',
      spellcheck: 'false',
    }),
  ];
}

/** The fault that the server would name. Parts of the language that need a flag are not faults here. */
function findFaults(view: EditorView): Diagnostic[] {
  const text = view.state.doc.toString();
  if (text.trim() === '') return [];
  try {
    parseExpr(text, ALL_FEATURES);
    return [];
  } catch (error) {
    if (!(error instanceof PromqlSyntaxError)) throw error;
    const from = Math.min(error.span.start, text.length);
    const to = Math.min(Math.max(error.span.end, from), text.length);
    return [{ from, to, severity: 'error', message: error.message.replace(/^\d+:\d+: parse error: /, '') }];
  }
}

/** Operators are suggested after every complete query, where Enter must run it. */
function wantsSuggestion({ state }: EditorView): boolean {
  const selected = selectedCompletion(state);
  if (!selected) return false;
  if ((selectedCompletionIndex(state) ?? 0) > 0) return true;
  const { from } = state.selection.main;
  const before = state.sliceDoc(Math.max(0, from - Math.max(1, selected.label.length)), from);
  return /[\w:]$/.test(before) && before !== selected.label;
}

function run(onRun: () => void): boolean {
  onRun();
  return true;
}

/** Suggests past queries too, where a query begins. */
function withHistory(base: CompleteStrategy): CompleteStrategy {
  return {
    async promQL(context: CompletionContext): Promise<CompletionResult | null> {
      const result = await base.promQL(context);
      const from = result?.from ?? 0;
      if (from !== 0 || context.pos === 0) return result;
      const past = readHistory().map(pastQuery);
      return result === null ? { from: 0, options: past } : { ...result, options: [...result.options, ...past] };
    },
    destroy: () => base.destroy?.(),
  };
}

function pastQuery(expr: string): Completion {
  return {
    label: expr.length > MAX_SUGGESTION_LENGTH ? `${expr.slice(0, MAX_SUGGESTION_LENGTH)}…` : expr,
    detail: 'run before',
    boost: -1,
    apply: (view) =>
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: expr },
        selection: { anchor: expr.length },
      }),
  };
}

const highlight = HighlightStyle.define([
  { tag: tags.number, color: 'var(--code-number)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.function(tags.variableName), tags.standard(tags.name)], color: 'var(--code-function)' },
  { tag: tags.labelName, color: 'var(--code-label)' },
  { tag: tags.comment, color: 'var(--ink-soft)', fontStyle: 'italic' },
]);

const look = EditorView.theme({
  '&': { fontSize: '14.5px', backgroundColor: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.5' },
  '.cm-content': { padding: '9px 0', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-line': { padding: '0 12px' },
  '.cm-placeholder': { color: 'var(--ink-soft)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--code-selection)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--code-selection)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    border: '1px solid var(--line-strong)',
    borderRadius: '8px',
    boxShadow: '0 4px 16px rgb(15 23 42 / 14%)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mantine-font-family-monospace)', maxHeight: '18em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--code-selection)', color: 'var(--ink)' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionDetail': { color: 'var(--ink-soft)', fontStyle: 'normal' },
  '.cm-tooltip.cm-completionInfo': { padding: '8px 10px', maxWidth: '360px' },
  '.cm-diagnostic': { padding: '6px 10px' },
});
