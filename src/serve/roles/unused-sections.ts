/**
 * Sections of a configuration that are read and checked and do nothing yet: said at start, never silently ignored.
 */
import type { Config } from '../config/config.ts';

export function unusedSections(config: Config): string[] {
  const sections: string[] = [];
  if (config.ruleFiles.length > 0) sections.push('rule_files');
  if (config.alerting.alertmanagers.length > 0) sections.push('alerting');
  if (config.remoteWrite.length > 0) sections.push('remote_write');
  if (config.remoteRead.length > 0) sections.push('remote_read');
  if (config.tracing !== null) sections.push('tracing');
  return sections;
}
