/** Keeps the event loop busy past a time limit, in milliseconds, that began a moment before. */
export function busyPast(limit: number): void {
  const end = performance.now() + limit * 1.25
  while (performance.now() < end);
}
