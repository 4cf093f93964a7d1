import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'

/** How much older every other disk is, in records. */
const older = 10
const { view } = GroupJournal.prototype

/** A hub whose points are not of one moment of all disks. */
GroupJournal.prototype.view = async function (position, options) {
  const now = await view.call(this, position, options)
  if (position <= older) return now
  const before = await view.call(this, position - older, { unsettled: true }).catch(() => now)
  const read = now.read.bind(now)
  const close = now.close.bind(now)
  return Object.assign(now, {
    read: (volume: number, offset: number, length: number) =>
      volume % 2 === 1 && before !== now ? before.read(volume, offset, length) : read(volume, offset, length),
    close() {
      if (before !== now) before.close()
      close()
    },
  })
}
