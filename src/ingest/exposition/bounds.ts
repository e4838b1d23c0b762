/**
 * How large exposed things may be, whatever a scrape's own limits say. They keep one bad target from harming the others.
 */

/** One line: series with value, or a comment. */
export const MAX_LINE_BYTES = 256 * 1024;
/** One label's name or value, or a metric's name. */
export const MAX_LABEL_BYTES = 64 * 1024;
/** Labels of one series, its name not counted. */
export const MAX_LABELS = 512;
export const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** Series and comment lines that one target's cache knows at once, those of the scrape before included. */
export const MAX_CACHED_LINES = 2_000_000;
