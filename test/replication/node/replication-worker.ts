// An agent or a hub in a process of its own: says when it is there, and its status each time it is asked.
import { createInterface } from 'node:readline'
import { Agent, HubServer, readAgentConfig, readHubConfig } from 'xenlight/replication'

const [, , what = '', config = ''] = process.argv

async function openAgent() {
  const { tls: _, control: __, ...agent } = readAgentConfig(config, 'agent')
  return await Agent.open(agent)
}

async function openHub() {
  const { tls: _, control: __, ...hub } = readHubConfig(config, 'hub')
  return await HubServer.open(hub)
}

const server = what === 'agent' ? await openAgent() : await openHub()
console.log('ready')
for await (const _ of createInterface(process.stdin)) console.log(JSON.stringify(server.status))
