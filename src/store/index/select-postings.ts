/**
 * From matchers to the series that pass them.
 *
 * A matcher that an absent label does not pass confines the answer to the series of the values that do pass. One that an absent label
 * passes takes away the series of the values that do not. So no series' own entry is read.
 * Source: Prometheus, tsdb/querier.go, PostingsForMatchers.
 */
import { compileMatcher, type CompiledMatcher, type Matcher } from '../../core/model/matcher.ts';
import type { IndexReader } from './index-reader.ts';
import { intersect, NO_POSTINGS, union, without, type Postings } from './postings.ts';

/** @throws RegexError, CorruptError */
export function selectPostings(index: IndexReader, matchers: readonly Matcher[]): Postings {
  const compiled = matchers.map((matcher) => compileMatcher(matcher));
  const confining: Postings[] = [];
  for (const matcher of compiled) {
    if (matcher.matchesEmpty) continue;
    const passing = postingsOfPassing(index, matcher);
    if (passing.length === 0) return NO_POSTINGS;
    confining.push(passing);
  }
  let selected = confining.length > 0 ? intersect(confining) : index.postings('', '');
  for (const matcher of compiled) {
    if (!matcher.matchesEmpty) continue;
    if (selected.length === 0) return selected;
    selected = without(selected, postingsOfFailing(index, matcher));
  }
  return selected;
}

/** Series whose value of the label passes; it is there. */
function postingsOfPassing(index: IndexReader, matcher: CompiledMatcher): Postings {
  if (matcher.literals !== null) return union(matcher.literals.map((value) => index.postings(matcher.name, value)));
  return postingsOfValues(index, matcher.name, (each) => matcher.matches(each));
}

/** Series whose value of the label does not pass; an absent one would. */
function postingsOfFailing(index: IndexReader, matcher: CompiledMatcher): Postings {
  const { name, op, value } = matcher;
  if (op === '!=') return index.postings(name, value);
  if (op === '!~') return postingsOfPassing(index, compileMatcher({ name, op: '=~', value }));
  return postingsOfValues(index, name, (each) => !matcher.matches(each));
}

function postingsOfValues(index: IndexReader, name: string, isWanted: (value: string) => boolean): Postings {
  const places: number[] = [];
  index.forEachValue(name, (value, postingsAt) => {
    if (isWanted(value)) places.push(postingsAt);
  });
  return union(places.map((at) => index.postingsAt(at)));
}
