import { NodeFolder } from '#xenlight/replication/node/node-folder.js'
import { Term } from '#xenlight/replication/node/term.js'

/** A hub that sees no claim which was made after it first looked. */
Term.prototype.stillOwns = () => true
const { list } = NodeFolder.prototype
const seen = new WeakMap<NodeFolder, ReadonlySet<string>>()
NodeFolder.prototype.list = function () {
  const names = list.call(this)
  const claims = names.filter(name => name.startsWith('owner-'))
  const known = seen.get(this)
  if (claims.length === 0 || known === undefined) {
    seen.set(this, new Set(claims))
    return names
  }
  return names.filter(name => !name.startsWith('owner-') || known.has(name))
}
