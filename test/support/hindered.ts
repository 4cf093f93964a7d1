import { openXenstore, type Xenstore } from 'xenlight/xenstore'
import type { EmbeddedStore } from '#xenlight/xenstore/memory/index.js'

const transactionEnd = 7

/** A client that others are always ahead of: `disturb` is called right before it ends a transaction, or sends what it `hinders`. */
export function hindered(
  embedded: EmbeddedStore,
  disturb: () => void,
  hinders = (packet: Uint8Array): boolean => packet[0] === transactionEnd,
): Xenstore {
  const duplex = embedded.duplex()
  return openXenstore({
    start: reader => duplex.start(reader),
    close: () => duplex.close(),
    write: packet => {
      if (hinders(packet)) disturb()
      duplex.write(packet)
    },
  })
}
