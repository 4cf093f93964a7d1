import { stat } from 'node:fs/promises'
import { encodeText } from '../byte-text.js'
import type { DiskTarget } from './choose-backend.js'
import { reasonOf } from './system-error.js'
import { targetKind } from './target-kind.js'

/** What a path is (`stat`); where it can't be examined, 'missing' and the reason in the C library's words. */
export async function statTarget(path: string): Promise<{ target: DiskTarget; reason: string }> {
  if (path === '' || path.includes('\0')) return { target: 'missing', reason: 'No such file or directory' }
  try {
    return { target: targetKind(await stat(encodeText(path))), reason: '' }
  } catch (error) {
    return { target: 'missing', reason: reasonOf(error) }
  }
}
