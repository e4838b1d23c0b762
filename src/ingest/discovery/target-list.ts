/**
 * Lists of targets as files and HTTP answers carry them: `[{targets: […], labels: {…}}]` in YAML or JSON.
 *
 * Source: Prometheus, configuration "file_sd_config", "http_sd_config"; discovery/targetgroup.
 */
import { labelsFromPairs, type Labels } from '../../core/model/labels.ts';
import { ConfigError } from '../../core/model/yaml/config-error.ts';
import { field, list, Reader, shownField, STRING, struct, type Type } from '../../core/model/yaml/schema.ts';
import { LABELS } from '../../core/model/yaml/values.ts';
import { parseYaml } from '../../core/model/yaml/yaml-node.ts';
import type { StaticGroup } from './sd-config.ts';
import { ADDRESS_LABEL, type TargetGroup } from './target-group.ts';

/** Longest list that is read from a file or an answer. */
export const MAX_TARGET_LIST_BYTES = 64 * 1024 * 1024;

export const STATIC_GROUP: Type<StaticGroup> = struct<StaticGroup>(
  'struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" }',
  { targets: shownField('targets', list(STRING)), labels: field('labels', LABELS) },
);

const STATIC_GROUPS = list(STATIC_GROUP, { goName: '[]*targetgroup.Group', nullItem: 'nil target group item found' });

/** @throws ConfigError where the text is no list of targets */
export function parseTargetList(text: string, format: 'yaml' | 'json'): readonly StaticGroup[] {
  if (format === 'json') {
    try {
      JSON.parse(text);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError(message, [{ message, line: 0, column: 0, field: '' }], cause);
    }
  }
  // JSON is YAML, and this reader tells the line of a fault.
  const root = parseYaml(text);
  if (root === null) return [];
  const reader = new Reader({ strict: true, dir: '' });
  const groups = reader.decode(STATIC_GROUPS, root);
  reader.finish();
  return groups;
}

/** A written group as discovery gives it. @param added labels of where it was found */
export function toTargetGroup(group: StaticGroup, source: string, added: Labels = []): TargetGroup {
  return {
    source,
    labels: added.length === 0 ? group.labels : labelsFromPairs([...pairs(group.labels), ...pairs(added)]),
    targets: group.targets.map((address): Labels => (address === '' ? [] : [ADDRESS_LABEL, address])),
  };
}

function* pairs(labels: Labels): Iterable<readonly [string, string]> {
  for (let i = 0; i < labels.length; i += 2) yield [labels[i]!, labels[i + 1]!];
}
