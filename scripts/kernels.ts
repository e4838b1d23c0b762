/**
 * The kernel modules and where each keeps its static data. They share one linear memory, so the ranges must not overlap;
 * addresses below 1 KiB belong to the memory's own bookkeeping.
 */
export const KERNELS = [
  { name: 'head', memoryBase: 1024 },
  { name: 'exposition', memoryBase: 64 * 1024 },
  { name: 'snappy', memoryBase: 48 * 1024 },
] as const;
