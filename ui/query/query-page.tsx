export function QueryPage(_: { path?: string }) { return null; }
