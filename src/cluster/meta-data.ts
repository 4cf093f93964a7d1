import { commonParameters } from './common-parameters.js'
import type { Parameter } from './parameter.js'

/** An action that the cluster manager may call, with the limits that are advised, in seconds. */
interface Action {
  readonly name: string
  readonly timeout: number
  readonly interval?: number
  readonly depth?: number
  readonly role?: 'Promoted' | 'Unpromoted'
}

export interface AgentDescription {
  readonly name: string
  readonly short: string
  readonly long: string
  readonly parameters: readonly Parameter[]
}

/** Those of every agent of ours: two monitors of each role, of which the deep one asks the process itself. */
const actions: readonly Action[] = [
  { name: 'start', timeout: 60 },
  { name: 'stop', timeout: 60 },
  { name: 'monitor', timeout: 20, interval: 10, depth: 0, role: 'Unpromoted' },
  { name: 'monitor', timeout: 20, interval: 9, depth: 0, role: 'Promoted' },
  { name: 'monitor', timeout: 30, interval: 61, depth: 10, role: 'Unpromoted' },
  { name: 'monitor', timeout: 30, interval: 60, depth: 10, role: 'Promoted' },
  { name: 'promote', timeout: 60 },
  { name: 'demote', timeout: 60 },
  { name: 'notify', timeout: 20 },
  { name: 'reload-agent', timeout: 20 },
  { name: 'meta-data', timeout: 5 },
  { name: 'validate-all', timeout: 20 },
]

/** The agent's description as OCF 1.1 has it. */
export function metaData({ name, short, long, parameters }: AgentDescription, version: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
<!-- the DTD is older than OCF 1.1, and knows neither reload-agent nor reloadable -->
<!ATTLIST action name CDATA #REQUIRED>
<!ATTLIST parameter reloadable CDATA #IMPLIED>
]>
<resource-agent name="${name}" version="${xml(version)}">
<version>1.1</version>
<longdesc lang="en">
${xml(long)}
</longdesc>
<shortdesc lang="en">${xml(short)}</shortdesc>
<parameters>
${[...parameters, ...commonParameters].map(parameterText).join('\n')}
</parameters>
<actions>
${actions.map(actionText).join('\n')}
</actions>
</resource-agent>
`
}

function parameterText(parameter: Parameter): string {
  const { name, type, isRequired, isUnique, isReloadable, short, long, ...rest } = parameter
  const content = rest.default === undefined ? '' : ` default="${xml(rest.default)}"`
  const more = isReloadable ? ' reloadable="1"' : ''
  return `<parameter name="${name}" required="${isRequired ? 1 : 0}" unique="${isUnique ? 1 : 0}"${more}>
<longdesc lang="en">
${xml(long)}
</longdesc>
<shortdesc lang="en">${xml(short)}</shortdesc>
<content type="${type}"${content}/>
</parameter>`
}

function actionText({ name, timeout, interval, depth, role }: Action): string {
  const more = [
    ...(interval === undefined ? [] : [` interval="${interval}s"`]),
    ...(depth === undefined ? [] : [` depth="${depth}"`]),
    ...(role === undefined ? [] : [` role="${role}"`]),
  ]
  return `<action name="${name}" timeout="${timeout}s"${more.join('')}/>`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const xml = (text: string): string => text.replaceAll(/[&<>"]/g, character => entities[character]!)
