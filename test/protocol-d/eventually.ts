import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something is so, half a minute by default. @param limit in milliseconds @throws Error after it, with what is so instead */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  instead: () => string | undefined = () => undefined,
  limit = 30_000,
): Promise<void> {
  for (const end = performance.now() + limit; performance.now() < end; await delay(5)) if (await isSo()) return
  throw new Error(`it never came that ${what}: ${instead() ?? ''}`)
}
