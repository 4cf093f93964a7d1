export interface Range {
  offset: number
  length: number
}

/**
 * Asks for a range in parts, some at a time: how many they are is the server's choice. After one that fails no other begins. Settles when
 * none is under way: a buffer is the caller's again then.
 */
export async function askInParts(
  { offset, length }: Range,
  most: number,
  atOnce: number,
  ask: (part: Range) => Promise<unknown>,
): Promise<void> {
  const end = offset + length
  let next = offset
  let failure: { error: unknown } | undefined
  const askOn = async () => {
    while (next < end && failure === undefined) {
      const part = { offset: next, length: Math.min(most, end - next) }
      next += part.length
      try {
        await ask(part)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, Math.ceil(length / most)) }, askOn))
  if (failure !== undefined) throw (failure as { error: unknown }).error
}
