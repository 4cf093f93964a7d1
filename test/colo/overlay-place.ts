import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { MissingRealPart } from '../support/real-part.js'

export const mib = 1024 * 1024
export const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { encoding: 'utf8' })

/** A folder, and the names of two overlays in it that are not there. */
export function place(t: Test) {
  try {
    qemuImg('--version')
  } catch {
    throw new MissingRealPart('qemu-img', 'qemu-utils')
  }
  const folder = mkdtempSync(join(tmpdir(), 'overlays-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return { folder, active: join(folder, 'active'), hidden: join(folder, 'hidden') }
}

export type Place = ReturnType<typeof place>
export const create = (file: string, size: number, ...options: string[]) =>
  qemuImg('create', '-q', '-f', 'qcow2', ...options, file, String(size))
export const refusal = (message: RegExp) => ({ name: 'ColoError', code: 'overlay', message })
