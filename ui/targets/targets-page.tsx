export function TargetsPage(_: { path?: string }) { return null; }
