import type { XenstoreNodes } from '../../xenstore/xenstore.js'
import { codeOf } from '../system-error.js'

/** Removes a node, and then those above it that are left without a value and without children (`libxl__xs_path_cleanup`). */
export async function pathCleanup(nodes: XenstoreNodes, path: string): Promise<void> {
  let next = path
  while (next !== '') {
    if (!(await remove(nodes, next))) return
    next = next.slice(0, next.lastIndexOf('/'))
    if (next === '' || !(await isBare(nodes, next))) return
  }
}

async function isBare(nodes: XenstoreNodes, path: string): Promise<boolean> {
  const [value, children] = await Promise.all([
    nodes.readIfPresent(path),
    nodes.directory(path).catch((error: unknown) => (codeOf(error) === 'ENOENT' ? undefined : Promise.reject(error))),
  ])
  return value === '' && children?.length === 0
}

async function remove(nodes: XenstoreNodes, path: string): Promise<boolean> {
  try {
    await nodes.rm(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
