import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { buildC } from '../real/c-program.js'

export const node = process.execPath

export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-remus-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Has the process for the ioctls started by a script for /bin/sh, which says where Node is and what else there is to it. */
export function startedBy(t: Test, folder: string, script: string): void {
  const file = join(folder, 'start')
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  process.execPath = file
  t.teardown(() => {
    process.execPath = node
  })
}

/** A file without checkpoints, in a device's place. */
export function plainFile(folder: string): string {
  const file = join(folder, 'plain')
  writeFileSync(file, '')
  return file
}

/** What stands for the ioctls of protocol D (ioctl-preload.c). @throws MissingRealPart */
export const ioctlPreload = (): string =>
  buildC('ioctl-preload', { libraries: ['-shared', '-fPIC', '-ldl'], packages: 'gcc libc6-dev' })
