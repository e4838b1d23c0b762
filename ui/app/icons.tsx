/**
 * The few icons, drawn as strokes in the text's colour. Words or labels beside them carry the meaning.
 */
import type { ReactNode } from 'react';

function Icon({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <svg
      aria-hidden="true"
      width="1.15em"
      height="1.15em"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export const SunIcon = (): ReactNode => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1" />
  </Icon>
);

export const MoonIcon = (): ReactNode => (
  <Icon>
    <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z" />
  </Icon>
);

export const ScreenIcon = (): ReactNode => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12" rx="1.5" />
    <path d="M9 20h6M12 16.5V20" />
  </Icon>
);

export const ArrowIcon = (): ReactNode => (
  <Icon>
    <path d="M7 17 17 7M9 7h8v8" />
  </Icon>
);

export const PlusIcon = (): ReactNode => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);

export const MinusIcon = (): ReactNode => (
  <Icon>
    <path d="M5 12h14" />
  </Icon>
);

export const LeftIcon = (): ReactNode => (
  <Icon>
    <path d="m15 6-6 6 6 6" />
  </Icon>
);

export const RightIcon = (): ReactNode => (
  <Icon>
    <path d="m9 6 6 6-6 6" />
  </Icon>
);

export const CloseIcon = (): ReactNode => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
);

export const HistoryIcon = (): ReactNode => (
  <Icon>
    <path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5M12 8v4.5l3 1.7" />
  </Icon>
);

export const FormatIcon = (): ReactNode => (
  <Icon>
    <path d="M4 6h16M8 11h12M8 16h8M4 21h10" />
  </Icon>
);

export const CopyIcon = (): ReactNode => (
  <Icon>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M15 9V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h3" />
  </Icon>
);

export const CheckIcon = (): ReactNode => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Icon>
);

export const SearchIcon = (): ReactNode => (
  <Icon>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </Icon>
);

/** The product's mark, as in the favicon. */
export const Mark = (): ReactNode => (
  <svg aria-hidden="true" width="26" height="26" viewBox="0 0 32 32">
    <rect width="32" height="32" rx="7" fill="#1f4fb8" />
    <path d="M22.5 10.2a9 9 0 1 0 0 11.6" fill="none" stroke="#fff" strokeWidth="3.2" strokeLinecap="round" />
    <circle cx="16" cy="16" r="2.6" fill="#7fe3cf" />
  </svg>
);
