import { coloAgent } from './colo-agent.js'
import { remusAgent } from './remus-agent.js'

/** Our resource agents. */
export const agents = [remusAgent, coloAgent] as const

export type KnownAgent = (typeof agents)[number]
