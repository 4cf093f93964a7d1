import { type PageChanges, PageRefusal } from '../../page/page-control.js'
import { CommandArguments } from '../../replication/hub/command-arguments.js'
import type { HubControl } from '../../replication/hub/hub-control.js'
import { kindOfError } from '../../replication-command/error-status.js'

/** What a page may do at a hub: start a test, and throw a test away. A fail-over is no test. */
export function hubChanges(hub: () => HubControl): PageChanges {
  return {
    test: given =>
      refusing(async () => {
        const { name, position, pointTime } = await hub().test(...testOf(given))
        return { branch: name, position, time: pointTime }
      }),
    discard: given =>
      refusing(async () => {
        const args = new CommandArguments('discard', given)
        const [group, branch] = [args.name('group'), args.name('branch')]
        const found = hub()
          .status(group)[0]
          ?.branches.find(({ name }) => name === branch)
        if (found !== undefined && found.kind !== 'test')
          throw new PageRefusal(`${branch} is a fail-over: the page discards tests only`)
        await hub().discard(group, branch)
        return {}
      }),
  }
}

function testOf(given: unknown): Parameters<HubControl['test']> {
  const args = new CommandArguments('test', given)
  return [args.name('group'), { branch: args.optionalName('branch'), at: args.at() }]
}

/** What the hub refuses is shown; a defect is not. */
async function refusing(change: () => Promise<object>): Promise<object> {
  try {
    return await change()
  } catch (error) {
    if (kindOfError(error) === undefined) throw error
    throw new PageRefusal((error as Error).message)
  }
}
