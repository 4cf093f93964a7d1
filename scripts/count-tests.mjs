/** Counts the tests of one file's TAP: its test points, not the assertions inside them. */
export function countTests(tap) {
  const count = { passed: 0, skipped: 0, failed: 0 }
  for (const [, not, skip] of tap.matchAll(/^(not )?ok \d+(?: - .*?)?(# SKIP.*)?$/gm))
    count[skip ? 'skipped' : not ? 'failed' : 'passed']++
  // A file that dies, or forgets its tests, may have no failed test to show for it.
  if (!/^1\.\.[1-9]/m.test(tap) && count.failed === 0) count.failed++
  return count
}

/** What the last lines of a run of the tests say; one that did not come so far has failed. */
export function lastCount(output) {
  const [, passed, failed] = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1) ?? [0, 0, 1]
  const [, skipped] = /^(\d+) skipped, /m.exec(output) ?? [0, 0]
  return { passed: Number(passed), skipped: Number(skipped), failed: Number(failed) }
}
