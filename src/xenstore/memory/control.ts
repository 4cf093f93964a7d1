import { parseDomid, parseNumber, stringsOf } from './payload.js'
import { isQuotaName, quotaDescriptions, quotaNames } from './quotas.js'
import { Refusal } from './refusal.js'
import type { Handler, Request } from './request.js'

type Command = (parameters: string[], store: Request['store']) => string | undefined

const commands: ReadonlyMap<string, { parameters: string; run: Command }> = new Map([
  ['check', { parameters: '', run: check }],
  ['print', { parameters: '<string>', run: print }],
  ['quota', { parameters: '[set <name> <val>|<domid>]', run: quota }],
  ['help', { parameters: '', run: help }],
])

function check(parameters: string[]): undefined {
  if (parameters.length > 0) throw new Refusal('EINVAL')
}

/** xenstored prints the text to its log, which the embedded store has not. */
function print(parameters: string[]): undefined {
  if (parameters.length !== 1) throw new Refusal('EINVAL')
}

function help(parameters: string[]): string {
  check(parameters)
  return [...commands].map(([name, command]) => `${name.padEnd(15)} ${command.parameters}\n`).join('')
}

function quota([first, name, value, ...others]: string[], store: Request['store']): string | undefined {
  const { defaults } = store.domains
  if (first === undefined) {
    const line = (of: (typeof quotaNames)[number]) => `${listed(of, defaults[of])} ${quotaDescriptions[of]}\n`
    return `Quota settings:\n${quotaNames.map(line).join('')}`
  }
  if (first === 'set') {
    const limit = parseNumber(value)
    if (name === undefined || !isQuotaName(name) || limit < 1 || others.length > 0) throw new Refusal('EINVAL')
    defaults[name] = limit
    return undefined
  }
  if (name !== undefined) throw new Refusal('EINVAL')
  const domid = parseDomid(first)
  if (store.domains.get(domid) === undefined) throw new Refusal('ENOENT')
  const used = {
    nodes: store.tree.ownedBy(domid),
    watches: store.watches.countOf(domid),
    transactions: store.transactionsOf(domid),
  }
  const lines = Object.entries(used).map(([of, count]) => `${listed(of, count, 16)}\n`)
  return `Domain ${domid}:\n${lines.join('')}`
}

const listed = (name: string, value: number, width = 17): string =>
  `${name.padEnd(width)}: ${String(value).padStart(8)}`

export const control: Handler = {
  answer({ payload, store }) {
    const [name, ...parameters] = stringsOf(payload)
    const command = commands.get(name ?? '')
    if (command === undefined) throw new Refusal('EINVAL')
    return command.run(parameters, store)
  },
  privileged: true,
}
