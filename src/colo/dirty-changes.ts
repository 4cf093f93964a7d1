import type { Limits } from '../link/limits.js'
import { blockDirtyBitmapAdd, blockDirtyBitmapRemove } from '../qmp/commands/block-dirty-bitmap.js'
import { transaction } from '../qmp/commands/transaction.js'
import type { Qmp } from '../qmp/qmp.js'
import type { ViewedNode } from './block-view.js'
import { changesBitmap, epochOf, nextBitmap } from './node-names.js'
import { unlessRefused } from './unless-refused.js'

/** Bytes that a bit of our bitmaps stands for. */
export const granularity = 65_536

/** Whether an image has kept all that was written since the last common checkpoint of an epoch. */
export const knowsChanges = ({ bitmaps }: ViewedNode, epoch: number): boolean =>
  bitmaps.some(({ name, recording, inconsistent }) => name === changesBitmap(epoch) && recording && !inconsistent)

/** The epochs of which an image has a bitmap, the latest first. */
export const changesOf = ({ bitmaps }: ViewedNode): number[] =>
  bitmaps.flatMap(({ name }) => (name.endsWith('-copy') ? [] : (epochOf(name) ?? []))).sort((a, b) => b - a)

/** Keeps from now on what is written to these images. What is there already is begun anew. */
export async function keepChanges(
  qmp: Qmp,
  images: readonly ViewedNode[],
  epoch: number,
  limits: Limits,
): Promise<void> {
  const name = changesBitmap(epoch)
  for (const { nodeName: node, driver, bitmaps } of images) {
    if (bitmaps.some(bitmap => bitmap.name === name)) await qmp.run(blockDirtyBitmapRemove, { node, name }, limits)
    // raw has no place for it
    const persistent = driver === 'qcow2'
    await qmp.run(blockDirtyBitmapAdd, { node, name, granularity, persistent }, limits)
  }
}

/** Keeps besides what is written from now on, for a checkpoint that is about to be taken. */
export async function keepNext(qmp: Qmp, images: readonly string[], epoch: number, limits: Limits): Promise<void> {
  const name = nextBitmap(epoch)
  const actions = images.map(node => ({ type: 'block-dirty-bitmap-add' as const, data: { node, name, granularity } }))
  // one that a failed checkpoint has left has more than that, which does no harm
  await qmp.run(transaction, { actions }, limits).catch(unlessRefused)
}

/**
 * Forgets, in one moment for all images, what was written until `keepNext`: both sides have it. What came after that stays: that the
 * guest stands still keeps it from writing, and nobody else.
 */
export async function forgetChanges(qmp: Qmp, images: readonly string[], epoch: number, limits: Limits): Promise<void> {
  const [name, next] = [changesBitmap(epoch), nextBitmap(epoch)]
  const actions = images.flatMap(node => [
    { type: 'block-dirty-bitmap-clear' as const, data: { node, name } },
    { type: 'block-dirty-bitmap-merge' as const, data: { node, target: name, bitmaps: [next] } },
    { type: 'block-dirty-bitmap-remove' as const, data: { node, name: next } },
  ])
  await qmp.run(transaction, { actions }, limits)
}

/** Removes what earlier epochs, and copies that were broken off, have left. */
export async function dropOldChanges(
  qmp: Qmp,
  images: readonly ViewedNode[],
  epoch: number,
  limits: Limits,
): Promise<void> {
  for (const { nodeName: node, bitmaps } of images)
    for (const { name } of bitmaps) {
      const its = epochOf(name)
      if (its === undefined || name === changesBitmap(epoch)) continue
      await qmp.run(blockDirtyBitmapRemove, { node, name }, limits).catch(unlessRefused)
    }
}
