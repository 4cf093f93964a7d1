import { remusAgent } from './remus-agent.js'

/** Our resource agents. */
export const agents = [remusAgent] as const

export type KnownAgent = (typeof agents)[number]
