/** The pages about targets. */
export const TARGET_PARTS = [
  { path: '/targets', label: 'Targets' },
  { path: '/service-discovery', label: 'Service discovery' },
] as const;
