import type { Agent } from './agent.js'
import type { OcfEnvironment } from './ocf-environment.js'
import { OcfFailure } from './ocf-failure.js'
import { remusParameters } from './remus-parameters.js'

/** `ocf:xenlight:remus`: a disk that is kept on two nodes by protocol D, in user space. */
export const remusAgent = {
  name: 'remus',
  short: 'A disk on two nodes, by protocol D in user space',
  long: `Serves a disk that is kept on two nodes by protocol D in user space (xl-remus serve). The promoted node serves it to its guest over NBD.
It is to be cloned, promotable, with promoted-max=1, clone-max=2, notify=true and interleave=true.`,
  parameters: remusParameters,
  nodes: (environment: OcfEnvironment) => placesOf(environment).map(({ node }) => node),
} as const satisfies Agent

export interface Place {
  node: string
  /** HOST:PORT. */
  address: string
}

/** Where the two nodes speak to each other: the first one listens. */
export function placesOf({ parameters }: OcfEnvironment): readonly Place[] {
  const { nodes = '' } = parameters
  const places = nodes
    .trim()
    .split(/\s+/)
    .map(word => {
      const [, node, address] = /^([\w.-]+)=(\S+:\d+)$/.exec(word) ?? []
      if (node === undefined || address === undefined)
        throw new OcfFailure('notConfigured', `nodes has a word that is not NODE=HOST:PORT: ${word}`)
      return { node, address }
    })
  const names = new Set(places.map(({ node }) => node))
  if (places.length !== 2 || names.size !== 2)
    throw new OcfFailure('notConfigured', 'nodes has to name two nodes: NODE=HOST:PORT NODE=HOST:PORT')
  return places
}
