import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder for sockets: tap's own has too long a name for some. */
export function socketFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'nbd-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
