import { dropOwnNodes, removeBitmaps } from './leftovers.js'
import type { Monitors } from './monitors.js'
import { ownPrefix, readBitmapName } from './names.js'
import { viewGuest } from './view-guest.js'

/** Takes away all that QEMU has of a group's: jobs, nodes, bitmaps. @returns what is left all the same, and why, in sentences */
export async function takeOut(
  options: Monitors & { group: string; disks: readonly { volume: string }[] },
): Promise<string[]> {
  const { qmp, group, disks } = options
  const left = await dropOwnNodes(
    options,
    disks.map(({ volume }) => ownPrefix(group, volume)),
  )
  try {
    const view = await viewGuest(qmp)
    const bitmaps = view
      .nodeNames()
      .flatMap(node => view.node(node)!.bitmaps.map(({ name }) => ({ node, name })))
      .filter(({ name }) => readBitmapName(name)?.group === group)
    await removeBitmaps(options, bitmaps)
  } catch (error) {
    left.push(`the bitmaps: ${(error as Error).message}`)
  }
  return left
}
