import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder for PATH with drbdadm and drbdsetup in it: scripts for /bin/sh. */
export function standInTools(t: Test, tools: { drbdadm?: string; drbdsetup?: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-drbd-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, script] of Object.entries(tools)) {
    const file = join(folder, name)
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
  }
  return folder
}

/** What drbdsetup does that writes these. */
export const drbdsetup = ({ events, show }: { events: string; show: string }): string =>
  `case $1 in events2) cat <<'END'\n${events}END\n;; show) cat <<'END'\n${show}END\n;; *) exit 20;; esac`
