import type { Limits } from '../../link/limits.js'
import type { ViewedNode } from '../../qmp/block-view.js'
import { blockDirtyBitmapAdd, blockDirtyBitmapRemove } from '../../qmp/commands/block-dirty-bitmap.js'
import { transaction } from '../../qmp/commands/transaction.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { epochOf, isChangesBitmap, nextBitmap } from '../graph/node-names.js'

/** Bytes that a bit of our bitmaps stands for. */
export const granularity = 65_536

/** Whether an image has kept all that was written since a common checkpoint, by the bitmap's name. */
export const knowsChanges = ({ bitmaps }: ViewedNode, changes: string): boolean =>
  bitmaps.some(({ name, recording, inconsistent }) => name === changes && recording && !inconsistent)

/** An image's bitmaps of checkpoints, of the latest epoch first. */
export const changesOf = ({ bitmaps }: ViewedNode): string[] =>
  bitmaps
    .map(({ name }) => name)
    .filter(isChangesBitmap)
    .sort((a, b) => epochOf(b)! - epochOf(a)!)

/** Keeps from now on what is written to these images. What is there already is begun anew. */
export async function keepChanges(
  qmp: Qmp,
  images: readonly ViewedNode[],
  name: string,
  limits: Limits,
): Promise<void> {
  for (const { nodeName: node, driver, bitmaps } of images) {
    if (bitmaps.some(bitmap => bitmap.name === name)) await qmp.run(blockDirtyBitmapRemove, { node, name }, limits)
    // raw has no place for it
    const persistent = driver === 'qcow2'
    await qmp.run(blockDirtyBitmapAdd, { node, name, granularity, persistent }, limits)
  }
}

/** Keeps besides what is written from now on, for a checkpoint that is about to be taken. */
export async function keepNext(qmp: Qmp, images: readonly string[], changes: string, limits: Limits): Promise<void> {
  const name = nextBitmap(changes)
  const actions = images.map(node => ({ type: 'block-dirty-bitmap-add' as const, data: { node, name, granularity } }))
  // one that a failed checkpoint has left has more than that, which does no harm
  await qmp.run(transaction, { actions }, limits).catch(unlessRefused)
}

/**
 * Forgets, in one moment for all images, what was written until `keepNext`: both sides have it. What came after that stays: that the
 * guest stands still keeps it from writing, and nobody else.
 */
export async function forgetChanges(qmp: Qmp, images: readonly string[], name: string, limits: Limits): Promise<void> {
  const next = nextBitmap(name)
  const actions = images.flatMap(node => [
    { type: 'block-dirty-bitmap-clear' as const, data: { node, name } },
    { type: 'block-dirty-bitmap-merge' as const, data: { node, target: name, bitmaps: [next] } },
    { type: 'block-dirty-bitmap-remove' as const, data: { node, name: next } },
  ])
  await qmp.run(transaction, { actions }, limits)
}

/** Removes what earlier protections, and copies that were broken off, have left. */
export async function dropOldChanges(
  qmp: Qmp,
  images: readonly ViewedNode[],
  changes: string,
  limits: Limits,
): Promise<void> {
  for (const { nodeName: node, bitmaps } of images)
    for (const { name } of bitmaps) {
      if (epochOf(name) === undefined || name === changes) continue
      await qmp.run(blockDirtyBitmapRemove, { node, name }, limits).catch(unlessRefused)
    }
}
