import fc from 'fast-check'
import type { Test } from 'tap'

/**
 * Passes where a property holds. Inside the property use node:assert: it throws, so that fast-check finds the smallest
 * case and says its seed; tap's own assertions would only count the failures.
 */
export function holds<Values>(t: Test, property: fc.IProperty<Values>, parameters: fc.Parameters<Values> = {}): void {
  const details = fc.check(property, parameters)
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'failed')
  else t.pass(`${details.numRuns} cases`)
}

/** The same for a property that takes its time. */
export async function holdsAsync<Values>(
  t: Test,
  property: fc.IAsyncProperty<Values>,
  parameters: fc.Parameters<Values> = {},
): Promise<void> {
  const details = await fc.check(property, parameters)
  if (details.failed) t.fail((await fc.asyncDefaultReportMessage(details)) ?? 'failed')
  else t.pass(`${details.numRuns} cases`)
}
