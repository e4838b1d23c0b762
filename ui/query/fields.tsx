/**
 * Inputs of the Query page for ranges, times and steps. Text counts when it is confirmed by Enter or by leaving the field.
 */
import { ActionIcon, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useId, useState, type ReactNode } from 'react';
import { formatDuration } from '../../src/core/model/duration.ts';
import { LeftIcon, MinusIcon, PlusIcon, RightIcon, CloseIcon } from '../app/icons.tsx';
import { formatDateTime, parseDateTime, type Zone } from '../model/zone.ts';
import { longerRange, shorterRange } from './range-ladder.ts';
import { MAX_RANGE_MS, MIN_RANGE_MS, readDuration, stepOf, type PanelState, type Resolution } from './url-state.ts';

interface DraftFieldProps {
  readonly label: string;
  /** The confirmed text. */
  readonly text: string;
  readonly placeholder: string;
  readonly width: number;
  /** @returns false for text that can't be taken */
  readonly onConfirm: (text: string) => boolean;
}

function DraftField({ label, text, placeholder, width, onConfirm }: DraftFieldProps): ReactNode {
  const [draft, setDraft] = useState(text);
  const [isBad, setIsBad] = useState(false);
  useEffect(() => {
    setDraft(text);
    setIsBad(false);
  }, [text]);
  const confirm = (): void => setIsBad(draft !== text && !onConfirm(draft));
  return (
    <TextInput
      aria-label={label}
      title={label}
      size="xs"
      w={width}
      value={draft}
      placeholder={placeholder}
      error={isBad}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={confirm}
      onKeyDown={(event) => {
        if (event.key === 'Enter') confirm();
      }}
    />
  );
}

export function RangeField({
  rangeMs,
  onChange,
}: {
  readonly rangeMs: number;
  readonly onChange: (rangeMs: number) => void;
}): ReactNode {
  return (
    <div className="field-group" role="group" aria-label="Range">
      <ToolButton label="Shorter range" onClick={() => onChange(shorterRange(rangeMs))}>
        <MinusIcon />
      </ToolButton>
      <DraftField
        label="Range"
        text={formatDuration(rangeMs)}
        placeholder="1h"
        width={78}
        onConfirm={(text) => {
          const ms = readDuration(text, MIN_RANGE_MS, MAX_RANGE_MS);
          if (ms !== null) onChange(ms);
          return ms !== null;
        }}
      />
      <ToolButton label="Longer range" onClick={() => onChange(longerRange(rangeMs))}>
        <PlusIcon />
      </ToolButton>
    </div>
  );
}

interface TimeFieldProps {
  readonly label: string;
  /** Null: now. */
  readonly timeMs: number | null;
  readonly zone: Zone;
  /** How far the arrows go. */
  readonly shiftMs: number;
  readonly nowMs: () => number;
  readonly onChange: (timeMs: number | null) => void;
}

export function TimeField({ label, timeMs, zone, shiftMs, nowMs, onChange }: TimeFieldProps): ReactNode {
  const shift = (byMs: number): void => onChange(Math.round(((timeMs ?? nowMs()) + byMs) / 1000) * 1000);
  return (
    <div className="field-group" role="group" aria-label={label}>
      <ToolButton label={`${label}: earlier`} onClick={() => shift(-shiftMs)}>
        <LeftIcon />
      </ToolButton>
      <DraftField
        label={`${label}, ${zone === 'utc' ? 'in UTC' : 'local time'}, as 2026-12-31 23:59:59`}
        text={timeMs === null ? '' : formatDateTime(timeMs, zone)}
        placeholder={`${label}: now`}
        width={164}
        onConfirm={(text) => {
          const parsed = text.trim() === '' ? null : parseDateTime(text, zone);
          if (parsed !== undefined) onChange(parsed);
          return parsed !== undefined;
        }}
      />
      {timeMs !== null && (
        <ToolButton label={`${label}: now`} onClick={() => onChange(null)}>
          <CloseIcon />
        </ToolButton>
      )}
      <ToolButton label={`${label}: later`} onClick={() => shift(shiftMs)}>
        <RightIcon />
      </ToolButton>
    </div>
  );
}

const FIXED_STEPS_MS = [5000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];
const CUSTOM = 'custom';

export function ResolutionField({
  panel,
  onChange,
}: {
  readonly panel: PanelState;
  readonly onChange: (resolution: Resolution) => void;
}): ReactNode {
  const id = useId();
  const { resolution } = panel;
  const value =
    resolution.kind === 'auto' ? resolution.density : resolution.kind === 'fixed' ? String(resolution.stepMs) : CUSTOM;
  const isListed = resolution.kind !== 'fixed' || FIXED_STEPS_MS.includes(resolution.stepMs);
  return (
    <div className="field-group" role="group" aria-label="Resolution">
      <NativeSelect
        id={id}
        aria-label="Resolution"
        title="Resolution"
        size="xs"
        value={value}
        onChange={(event) => onChange(chosenResolution(event.currentTarget.value, stepOf(panel)))}
        data={[
          { value: 'low', label: 'Low resolution' },
          { value: 'medium', label: 'Medium resolution' },
          { value: 'high', label: 'High resolution' },
          ...FIXED_STEPS_MS.map((ms) => ({ value: String(ms), label: `Step ${formatDuration(ms)}` })),
          ...(isListed ? [] : [{ value, label: `Step ${formatDuration(Number(value))}` }]),
          { value: CUSTOM, label: 'Custom step' },
        ]}
      />
      {resolution.kind === 'custom' && (
        <DraftField
          label="Step"
          text={formatDuration(resolution.stepMs)}
          placeholder="15s"
          width={70}
          onConfirm={(text) => {
            const stepMs = readDuration(text, 1, MAX_RANGE_MS);
            if (stepMs !== null) onChange({ kind: 'custom', stepMs });
            return stepMs !== null;
          }}
        />
      )}
    </div>
  );
}

function chosenResolution(value: string, currentStepMs: number): Resolution {
  switch (value) {
    case 'low':
    case 'medium':
    case 'high':
      return { kind: 'auto', density: value };
    case CUSTOM:
      return { kind: 'custom', stepMs: currentStepMs };
    default:
      return { kind: 'fixed', stepMs: Number(value) };
  }
}

interface ToolButtonProps {
  readonly label: string;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

export function ToolButton({ label, onClick, children }: ToolButtonProps): ReactNode {
  return (
    <ActionIcon variant="default" size={30} aria-label={label} title={label} onClick={onClick}>
      {children}
    </ActionIcon>
  );
}
