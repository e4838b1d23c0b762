/**
 * The configuration in force, as the server understood it.
 */
import { Button } from '@mantine/core';
import { useRef, useState, type ReactNode } from 'react';
import { fetchConfigYaml } from '../api/server-status.ts';
import { CheckIcon, CopyIcon } from '../app/icons.tsx';
import { StatusFault, useStatus } from './status-answer.tsx';

const COPIED_SHOWN_MS = 2000;

export function ConfigStatus(): ReactNode {
  const { data, error } = useStatus('config', fetchConfigYaml, false);
  const text = useRef<HTMLPreElement>(null);
  const [copied, setCopied] = useState<'no' | 'yes' | 'selected'>('no');
  const copy = async (): Promise<void> => {
    if (text.current === null) return;
    const outcome = await copyText(data ?? '', text.current);
    setCopied(outcome);
    setTimeout(() => setCopied('no'), COPIED_SHOWN_MS);
  };
  return (
    <section className="status-card" aria-label="Configuration">
      <div className="config-head">
        <p className="page-about">Defaults are filled in, secrets are masked.</p>
        <Button
          size="xs"
          variant="default"
          leftSection={copied === 'yes' ? <CheckIcon /> : <CopyIcon />}
          onClick={() => void copy()}
          disabled={data === undefined}
        >
          {copied === 'yes' ? 'Copied' : copied === 'selected' ? 'Selected: press Ctrl+C' : 'Copy'}
        </Button>
      </div>
      <StatusFault error={error} />
      {data !== undefined && (
        <pre ref={text} className="config-text" tabIndex={0} aria-label="Configuration as YAML">
          {data}
        </pre>
      )}
    </section>
  );
}

/** Browsers give the clipboard only to secure pages; elsewhere the text is selected for the reader to copy. */
async function copyText(text: string, shown: HTMLElement): Promise<'yes' | 'selected'> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return 'yes';
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  window.getSelection()?.selectAllChildren(shown);
  return 'selected';
}
