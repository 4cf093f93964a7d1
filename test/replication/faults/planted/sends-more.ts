import { BlockSet } from '#xenlight/keep/block-set.js'
import { VolumeKeep } from '#xenlight/replication/agent/volume-keep.js'
import { CycleRunner } from '#xenlight/replication/cycles/cycle-runner.js'
import { LiveChild } from '#xenlight/replication/cycles/live-child.js'

/** An agent that sends all of its disks when it was started again, whatever its bitmaps, or QEMU's, say. */
Object.defineProperty(VolumeKeep.prototype, 'marked', {
  get(this: VolumeKeep) {
    const all = new BlockSet(this.granules)
    all.addRun({ first: 0, count: this.granules })
    return all
  },
})
const { attach } = CycleRunner
CycleRunner.attach = async options => {
  const runner = await attach.call(CycleRunner, options)
  runner.distrust()
  return runner
}
const { open } = LiveChild
LiveChild.open = async options => {
  const child = await open.call(LiveChild, options)
  child.distrust()
  return child
}
