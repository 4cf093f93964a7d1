import { errorReply } from '#xenlight/xenstore/operation.js'
import type { RandomRequest } from './random-requests.js'
import type { RawClient, RawReply } from './raw-client.js'

/** What two connections are answered and told, and what the tree looks like in the end: one line for each. */
export async function transcript(clients: readonly [RawClient, RawClient], requests: readonly RandomRequest[]) {
  const lines: string[] = []
  for (const { client, operation, payload, transactionId } of requests) {
    const reply = await clients[client].request(operation, payload, transactionId)
    lines.push(`${client} ${operation} ${JSON.stringify(payload)} in ${transactionId}: ${shown(reply)}`)
    for (const [index, one] of clients.entries()) {
      for (const event of await one.seen()) lines.push(`  ${index} is told ${event}`)
    }
  }
  return [...lines, ...(await dump(clients[0]))]
}

/** A part's generation is each store's own. */
const shown = ({ type, payload }: RawReply): string =>
  `${type} ${JSON.stringify(type === 22 ? payload.replace(/^[0-9]+/, 'generation') : payload)}`

async function dump(client: RawClient): Promise<string[]> {
  const lines: string[] = []
  const paths = ['/']
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    const text = JSON.stringify((await client.request('READ', `${path}\0`)).payload)
    lines.push(`${path} = ${text} (${JSON.stringify(await client.ask('GET_PERMS', `${path}\0`))})`)
    const { type, payload } = await client.request('DIRECTORY', `${path}\0`)
    const children = type === errorReply ? [] : payload.split('\0').slice(0, -1)
    paths.push(...children.map(name => (path === '/' ? `/${name}` : `${path}/${name}`)))
  }
  return lines
}

/** Puts a store back to where it began, for the next run. */
export async function tidy(client: RawClient): Promise<void> {
  const names = (await client.request('DIRECTORY', '/\0')).payload.split('\0')
  for (const name of names) if (name !== '' && name !== 'tool') await client.request('RM', `/${name}\0`)
  for (const domid of [3, 4, 9]) await client.request('RELEASE', `${domid}\0`)
  for (const path of ['/', '/tool', '/tool/xenstored']) await client.request('WRITE', `${path}\0`)
  for (const path of ['/', '/tool', '@releaseDomain', '@introduceDomain']) {
    await client.request('SET_PERMS', `${path}\0n0\0`)
  }
}
