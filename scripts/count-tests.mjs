/** Counts the tests of one file's TAP: its test points, not the assertions inside them. */
export function countTests(tap) {
  const count = { passed: 0, skipped: 0, failed: 0 }
  for (const [, not, skip] of tap.matchAll(/^(not )?ok \d+(?: - .*?)?(# SKIP.*)?$/gm))
    count[skip ? 'skipped' : not ? 'failed' : 'passed']++
  // A file that dies, or forgets its tests, may have no failed test to show for it.
  if (!/^1\.\.[1-9]/m.test(tap) && count.failed === 0) count.failed++
  return count
}
