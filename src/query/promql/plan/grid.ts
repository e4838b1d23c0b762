/**
 * The evaluation times of a query: equally spaced steps.
 */

/** Step i is at `startMs + i * stepMs`. A `stepMs` of 0 means that all steps look at one time (`@`). */
export interface StepGrid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly stepCount: number;
}

/** The one step of an instant query; its interval counts as 1 ms. */
export const instantGrid = (timeMs: number): StepGrid => ({ startMs: timeMs, stepMs: 1, stepCount: 1 });

export const timeOfStep = (grid: StepGrid, step: number): number => grid.startMs + step * grid.stepMs;

export const endOfGrid = (grid: StepGrid): number => timeOfStep(grid, Math.max(0, grid.stepCount - 1));

/** Steps at multiples of `stepMs` in (afterMs, untilMs]. */
export function alignedGrid(afterMs: number, untilMs: number, stepMs: number): StepGrid {
  const startMs = (Math.floor(afterMs / stepMs) + 1) * stepMs;
  return { startMs, stepMs, stepCount: Math.max(0, Math.floor((untilMs - startMs) / stepMs) + 1) };
}
