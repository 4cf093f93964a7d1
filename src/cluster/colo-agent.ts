import type { Agent } from './agent.js'
import { coloParameters } from './colo-parameters.js'
import type { OcfEnvironment } from './ocf-environment.js'
import { OcfFailure } from './ocf-failure.js'
import { placesOf } from './remus-agent.js'

/** `ocf:xenlight:colo`: a guest whose disks COLO replicates between two QEMUs. */
export const coloAgent = {
  name: 'colo',
  short: 'A guest on two nodes, its disks replicated by COLO',
  long: `Runs a guest's QEMU on each of two nodes, and replicates its disks by COLO. On the promoted node the guest runs; the other node's QEMU has
its disks as of the last checkpoint, and boots the guest from them where it is promoted.
It is to be cloned, promotable, with promoted-max=1, clone-max=2, notify=true and interleave=true.`,
  parameters: coloParameters,
  nodes: (environment: OcfEnvironment) => placesOf(environment).map(({ node }) => node),
} as const satisfies Agent

export interface ColoPlace {
  host: string
  /** Where the node listens for its peer. */
  port: number
  /** Where its QEMU's NBD server does. */
  nbdPort: number
}

/** Where this node and its peer are. @throws OcfFailure notConfigured, wrongArguments */
export function coloPlaces(environment: OcfEnvironment): { own: ColoPlace; peer: ColoPlace & { node: string } } {
  const places = placesOf(environment)
  const own = places.find(({ node }) => node === environment.node)
  const peer = places.find(({ node }) => node !== environment.node)
  if (own === undefined || peer === undefined)
    throw new OcfFailure('wrongArguments', `nodes does not name this node: ${environment.node}`)
  return { own: placeOf(own.address), peer: { node: peer.node, ...placeOf(peer.address) } }
}

/** The highest port that has one after it. */
const lastPort = 65_534

function placeOf(address: string): ColoPlace {
  // an IPv6 address stands in brackets
  const [, ipv6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(address) ?? []
  const host = ipv6 ?? name
  const port = Number(digits)
  if (host === undefined || port < 1 || port > lastPort)
    throw new OcfFailure(
      'notConfigured',
      `nodes has an address that is not HOST:PORT, or has no port after it: ${address}`,
    )
  return { host, port, nbdPort: port + 1 }
}
