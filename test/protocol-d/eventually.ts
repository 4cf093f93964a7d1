import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something is so. @throws Error after half a minute, with what is so instead */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  instead: () => string | undefined = () => undefined,
): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await delay(5)) if (await isSo()) return
  throw new Error(`it never came that ${what}: ${instead() ?? ''}`)
}
