import type { Resource } from '../agent.js'
import type { KnownAgent } from '../agents.js'
import type { ClusterManager } from '../cluster-manager.js'
import type { OcfEnvironment } from '../ocf-environment.js'
import { ColoResource } from './colo-resource.js'
import { GroupResource } from './group-resource.js'
import { RemusResource } from './remus-resource.js'
import type { RunPlace } from './run-place.js'

/** What an agent's resource is on this node. */
export function resourceOf(
  agent: KnownAgent,
  environment: OcfEnvironment,
  place: RunPlace,
  cluster: ClusterManager,
): Resource {
  switch (agent.name) {
    case 'colo':
      return new ColoResource(environment, place)
    case 'rephub-group':
      return new GroupResource(environment, place, cluster)
    case 'remus':
      return new RemusResource(environment, place)
  }
}
