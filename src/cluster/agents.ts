import { coloAgent } from './colo-agent.js'
import { groupAgent } from './group-agent.js'
import { remusAgent } from './remus-agent.js'

/** Our resource agents. */
export const agents = [remusAgent, coloAgent, groupAgent] as const

export type KnownAgent = (typeof agents)[number]
