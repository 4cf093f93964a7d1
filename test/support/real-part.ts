import type { Test } from 'tap'

/** Something real that a test runs against (a library, a compiler, a program) is not on this machine. */
export class MissingRealPart extends Error {
  override readonly name = 'MissingRealPart'

  constructor(what: string, packages: string) {
    super(`${what} is missing: install ${packages} (scripts/install-test-parts.sh does)`)
  }
}

/**
 * Gets a real part. Where it is missing the test is skipped (npm test lists it), and undefined comes back; with CI set
 * it fails instead, so that a machine without the parts never counts as proof. With REAL_PARTS=none none is asked for,
 * and each such test is skipped: so `npm run test:nodes` runs those that need no real part.
 */
export async function realPart<T>(t: Test, get: () => T | Promise<T>): Promise<T | undefined> {
  const { CI, REAL_PARTS } = process.env
  if (REAL_PARTS === 'none') {
    t.plan(0, 'it needs a real part')
    return undefined
  }
  try {
    return await get()
  } catch (error) {
    if (!(error instanceof MissingRealPart)) throw error
    if (CI) t.fail(error.message)
    else t.plan(0, error.message)
    return undefined
  }
}
