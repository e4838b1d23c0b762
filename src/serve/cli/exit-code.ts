/** What commands end with; promtool's numbers. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** A lint found something, and nothing is wrong. */
  finding: 3,
} as const;
