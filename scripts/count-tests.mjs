/** Counts the tests of tap's raw output: the test points of each file, not the assertions inside them. */
export function countTests(tap) {
  const inFile = pointsAt(tap, '    ')
  const files = pointsAt(tap, '')
  const failed = inFile.filter(point => !point.ok).length
  return {
    passed: inFile.filter(point => point.ok && !point.skipped).length,
    skipped: inFile.filter(point => point.skipped).length,
    // A file that dies has no failing test to show for it.
    failed: Math.max(failed, files.filter(point => !point.ok).length),
  }
}

function pointsAt(tap, indent) {
  const point = new RegExp(`^${indent}(not )?ok \\d+(?: - .*?)?(# SKIP.*)?$`, 'gm')
  return [...tap.matchAll(point)].map(([, not, skip]) => ({ ok: not === undefined, skipped: skip !== undefined }))
}
