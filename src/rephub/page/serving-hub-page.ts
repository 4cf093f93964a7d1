import { type ServedPage, servingPage } from '../../command-line/serving-page.js'
import { HubPage } from '../../page/hub-page.js'
import type { HubConfig } from '../../replication/config/hub-config.js'
import type { HubServer } from '../../replication/node/hub-server.js'
import type { LeasedHub } from '../../replication/node/leased-hub.js'
import type { ServeCommand } from '../command.js'
import { servingHub } from '../serving-hub.js'
import { hubChanges } from './hub-changes.js'

/** How often it is looked at, in milliseconds. */
const every = 2000
/** How far a recovery may go back where nothing is said, in milliseconds: what an agent has by default. */
const usualTarget = 5000

/** Serves a hub's page; nothing without a choice. @throws SystemError, LinkError */
export async function servingHubPage(
  server: HubServer | LeasedHub,
  choice: HubConfig['page'] | ServeCommand['page'],
): Promise<AsyncDisposable> {
  if (choice === undefined) return { [Symbol.asyncDispose]: async () => {} }
  const { control, address, token, tls, host } = choice
  const target = 'target' in choice ? choice.target : usualTarget
  const page = new HubPage({ target })
  const hub = () => servingHub(server).control('owner')
  const served: ServedPage = {
    every,
    view: group => page.view({ status: server.status, now: Date.now(), group, pointsOf: name => hub().points(name) }),
    changes: control ? hubChanges(hub) : undefined,
  }
  const serving = await servingPage({ address, token, tls, host }, served)
  const sample = () => page.sample(server.status, Date.now())
  sample()
  const timer = setInterval(sample, every)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await serving[Symbol.asyncDispose]()
    },
  }
}
