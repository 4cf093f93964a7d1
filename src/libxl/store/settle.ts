/** Why the work on one of several things failed. */
export interface Failure {
  /** Which one. */
  index: number
  error: unknown
}

/** Waits for all, whether they succeed or not. */
export async function settle<From, To>(
  items: readonly From[],
  work: (item: From) => Promise<To>,
): Promise<{ values: To[]; failures: Failure[] }> {
  const results = await Promise.allSettled(items.map(work))
  const values: To[] = []
  const failures: Failure[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') values.push(result.value)
    else failures.push({ index, error: result.reason })
  }
  return { values, failures }
}
