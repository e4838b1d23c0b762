export function StatusPage(_: { path?: string }) { return null; }
