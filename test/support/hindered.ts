import { openXenstore, type Xenstore } from 'xenlight/xenstore'
import type { EmbeddedStore } from '#xenlight/xenstore/memory/index.js'

const transactionEnd = 7

/** A client that others are always ahead of: `disturb` is called right before it ends a transaction. */
export function hindered(embedded: EmbeddedStore, disturb: () => void): Xenstore {
  const duplex = embedded.duplex()
  return openXenstore({
    start: reader => duplex.start(reader),
    close: () => duplex.close(),
    write: packet => {
      if (packet[0] === transactionEnd) disturb()
      duplex.write(packet)
    },
  })
}
