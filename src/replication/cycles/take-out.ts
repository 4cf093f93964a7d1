import { dropOwnNodes, type OwnGroup, removeBitmaps } from './leftovers.js'
import { readBitmapName } from './names.js'
import { viewGuest } from './view-guest.js'

/** Takes away all that QEMU has of a group's: jobs, nodes, bitmaps. @returns what is left all the same, and why, in sentences */
export async function takeOut(own: OwnGroup): Promise<string[]> {
  const { qmp, group } = own
  const left = await dropOwnNodes(own)
  try {
    const view = await viewGuest(qmp)
    const bitmaps = view
      .nodeNames()
      .flatMap(node => view.node(node)!.bitmaps.map(({ name }) => ({ node, name })))
      .filter(({ name }) => readBitmapName(name)?.group === group)
    await removeBitmaps(own, bitmaps)
  } catch (error) {
    left.push(`the bitmaps: ${(error as Error).message}`)
  }
  return left
}
