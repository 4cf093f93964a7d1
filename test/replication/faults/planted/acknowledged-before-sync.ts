import { NodeFolder } from '#xenlight/replication/node/node-folder.js'

/** How late the sync is, in milliseconds. */
const late = 500
const { open } = NodeFolder.prototype

/** A hub that acknowledges a record when it is written, and syncs it later. */
NodeFolder.prototype.open = function (name, how) {
  const file = open.call(this, name, how)
  const sync = file.sync.bind(file)
  const syncLater = async () => {
    setTimeout(() => sync().catch(() => {}), late)
  }
  return name.endsWith('.seg') ? Object.assign(file, { sync: syncLater }) : file
}
