import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type AgentOptions, type HubServerOptions, readAgentConfig, readHubConfig } from 'xenlight/replication'
import { socketFolder } from '../../nbd/socket-folder.js'

export const mebibyte = 1024 * 1024

/** A folder with an image, and what an agent and a hub there are told. */
export function place(t: Test, size = 8 * mebibyte) {
  const folder = socketFolder(t)
  for (const name of ['hub', 'agent', 'run']) mkdirSync(join(folder, name))
  const newImage = (name: string): string => {
    const path = join(folder, name)
    writeFileSync(path, '')
    truncateSync(path, size)
    return path
  }
  /** An agent of one group with these disks, by their images. */
  const agentOf = (disks: Readonly<Record<string, string>>, state = 'agent', run = 'run'): AgentOptions => {
    const {
      tls: _,
      control: __,
      ...agent
    } = readAgentConfig(
      JSON.stringify({
        name: 'anna',
        hub: join(folder, 'h'),
        state: join(folder, state),
        run: join(folder, run),
        groups: { web: { disks: Object.fromEntries(Object.entries(disks).map(([name, image]) => [name, { image }])) } },
      }),
      'agent',
    )
    return agent
  }
  const image = newImage('root.img')
  const {
    tls: _,
    control: __,
    ...hub
  } = readHubConfig(
    JSON.stringify({ data: join(folder, 'hub'), listen: join(folder, 'h'), nbd: join(folder, 'n') }),
    'hub',
  )
  return { folder, image, newImage, agentOf, agent: agentOf({ root: image }), hub: hub satisfies HubServerOptions }
}
