import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createReplicatedDisk } from 'xenlight/protocol-d'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart } from '../support/real-part.js'
import { type GuestMachine, guestMachine } from './guest-machine.js'
import { NamespaceNode } from './namespace-node.js'

const run = promisify(execFile)
const ip = (...args: string[]) => run('ip', args)

/** How long a node is without power when it is fenced, in milliseconds. */
const rebootTime = 1500
let count = 0

export interface ClusterOptions {
  names: readonly string[]
  /** The agent of the resource, `web`: 'remus' by default. */
  agent?: 'remus' | 'colo'
  /** Whether nodes that are lost are fenced. */
  isFencing: boolean
  /** What is promoted on the first two nodes; by default a disk of protocol D. */
  subject?: ClusterSubject
}

/** What is promoted, and what is beside it. */
export interface ClusterSubject {
  /** The type of its agent, and its parameters. */
  type: string
  parameters: Readonly<Record<string, string>>
  /** The file of the guest, without its extension. */
  guest: string
  /** A script that a node runs when it boots, beside the cluster. `/run/web` is the node's folder. */
  services: Readonly<Record<string, string>>
}

/**
 * A real Corosync and Pacemaker, each node in namespaces of its own on this machine, with a switch between them. It has a replicated
 * disk, `web`, on the first two nodes, and a guest where that is promoted.
 */
export class NamespaceCluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'xenlight-cluster-'))
  readonly nodes: readonly NamespaceNode[]
  readonly #options: ClusterOptions
  readonly #switch = `xl${process.pid}s${count++}`
  #isOver = false
  #fencing: Promise<void> | undefined
  /** The guests' machines, with 'colo'. */
  readonly machines = new Map<string, GuestMachine>()
  /** Whom it has fenced. */
  readonly fenced: string[] = []

  private constructor(options: ClusterOptions) {
    this.#options = options
    this.nodes = options.names.map(name => new NamespaceNode(name, join(this.folder, name), `${this.#switch}-${name}`))
  }

  static async start(options: ClusterOptions): Promise<NamespaceCluster> {
    for (const [program, packages] of [
      ['/usr/sbin/pacemakerd', 'pacemaker'],
      ['/usr/sbin/corosync', 'corosync'],
      ['/usr/sbin/crm_mon', 'pacemaker-cli-utils'],
    ] as const)
      if (!existsSync(program)) throw new MissingRealPart(program, packages)
    const cluster = new NamespaceCluster(options)
    try {
      await cluster.#build()
      for (const node of cluster.nodes) node.boot()
      cluster.#fencing = cluster.#serveFencing()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What the command line of the resource's process has. */
  get served(): string {
    return this.#options.agent === 'colo' ? 'xl-cluster.cjs serve' : 'xl-remus.cjs serve'
  }

  get logs(): string {
    return join(this.folder, 'guests')
  }

  node(name: string): NamespaceNode {
    return this.nodes.find(node => node.name === name)!
  }

  /** Both disks are new: says that the first node's counts. */
  async begin(): Promise<void> {
    const [{ name }] = this.nodes as [NamespaceNode]
    const command = join(projectRoot, 'dist/bin/xl-cluster.cjs')
    const force = () =>
      this.node(name).run(process.execPath, command, 'force', 'web', name, '--reason', 'both disks are new')
    await eventually('the cluster is there', () =>
      force().then(
        () => true,
        () => false,
      ),
    )
  }

  /** What a node's process says of itself, by its state file; undefined where it is not there. */
  async state(name: string): Promise<ReadonlyMap<string, string> | undefined> {
    const text = await this.node(name)
      .run('cat', '/run/xenlight/web/state')
      .catch(() => undefined)
    if (text === undefined) return undefined
    return new Map(text.split('\n').map(line => [line.replace(/=.*/, ''), line.replace(/^\w*=/, '')]))
  }

  /** Cuts the cable between a node and the switch, or puts it back. */
  async cable(name: string, state: 'up' | 'down'): Promise<void> {
    await ip('-n', this.#switch, 'link', 'set', name, state)
  }

  /** What one node sends to another one goes astray, and nothing else. */
  async losesWay(from: string, to: string, isLost: boolean): Promise<void> {
    const { namespace } = this.node(from)
    const nowhere = ['02:00:00:00:00:01', 'nud', 'permanent']
    const neighbour = [addressOf(this.#indexOf(to)), 'dev', 'eth0']
    if (isLost) await ip('-n', namespace, 'neigh', 'replace', ...neighbour, 'lladdr', ...nowhere)
    else await ip('-n', namespace, 'neigh', 'del', ...neighbour).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#fencing
    for (const node of this.nodes) await node.kill()
    for (const namespace of [this.#switch, ...this.nodes.map(node => node.namespace)])
      await ip('netns', 'del', namespace).catch(() => {})
    for (const { folder } of this.nodes)
      if (existsSync(join(folder, 'disk')) && readdirSync(join(folder, 'disk')).length > 0)
        execFileSync('umount', ['--lazy', join(folder, 'disk')])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #indexOf(name: string): number {
    return this.nodes.findIndex(node => node.name === name)
  }

  async #build(): Promise<void> {
    const { names, subject } = this.#options
    const at = (...words: string[]) => join(this.folder, ...words)
    await ip('netns', 'add', this.#switch)
    await ip('-n', this.#switch, 'link', 'add', 'name', 'br0', 'type', 'bridge')
    await ip('-n', this.#switch, 'link', 'set', 'br0', 'up')
    for (const name of ['guests', 'ports', 'agents', 'fencing']) mkdirSync(at(name))
    writeFileSync(at('pair'), 'a name that nobody guesses\n')
    this.#script('agents/test/guest', 'guest-agent.sh')
    this.#script('fencing/fence_namespaces', 'fence-agent.sh')
    const command = join(projectRoot, 'dist/bin/xl-cluster.cjs')
    execFileSync(process.execPath, [command, 'install', at('agents/xenlight')])
    for (const [index, { name, folder, namespace }] of this.nodes.entries()) {
      await ip('netns', 'add', namespace)
      await ip('link', 'add', 'eth0', 'netns', namespace, 'type', 'veth', 'peer', 'name', name, 'netns', this.#switch)
      await ip('-n', this.#switch, 'link', 'set', name, 'master', 'br0', 'up')
      await ip('-n', namespace, 'address', 'add', `${addressOf(index)}/24`, 'dev', 'eth0')
      for (const device of ['eth0', 'lo']) await ip('-n', namespace, 'link', 'set', device, 'up')
      mkdirSync(folder)
      for (const name of ['cib', 'pengine', 'blackbox', 'cores'])
        mkdirSync(join(folder, 'pacemaker', name), { recursive: true })
      const cib = join(folder, 'pacemaker/cib/cib.xml')
      writeFileSync(
        cib,
        cibText(
          this.folder,
          this.nodes.slice(0, 2).map(node => node.name),
          this.#options,
        ),
        { mode: 0o600 },
      )
      execFileSync('chown', ['-R', 'hacluster:haclient', join(folder, 'pacemaker')])
      for (const shared of ['agents', 'fencing']) cpSync(at(shared), join(folder, shared), { recursive: true })
      writeFileSync(join(folder, 'corosync.conf'), corosyncText(names))
      const pair = readFileSync(at('pair'), 'utf8').trim()
      // a file system of its own, that can be full
      mkdirSync(join(folder, 'disk'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', join(folder, 'disk')])
      if (subject !== undefined) {
        const services = subject.services[name]
        if (services !== undefined) writeFileSync(join(folder, 'services'), services, { mode: 0o755 })
        writeFileSync(join(folder, 'disk/web.img'), Buffer.alloc(16 * 1024 * 1024))
      } else if (this.#options.agent === 'colo') {
        this.machines.set(name, guestMachine(join(folder, 'disk'), '/run/web/disk'))
      } else {
        await createReplicatedDisk({
          data: join(folder, 'disk/web.img'),
          size: 16 * 1024 * 1024,
          pair,
          logSize: 64 * 1024 * 1024,
        })
      }
    }
  }

  #script(to: string, from: string): void {
    const words: Readonly<Record<string, string>> = {
      '@NODE@': process.execPath,
      '@GUEST@': join(projectRoot, `build/test/cluster/${this.#options.subject?.guest ?? 'guest'}.js`),
      '@LOGS@': this.logs,
      '@PORTS@': join(this.folder, 'ports'),
    }
    const text = readFileSync(join(projectRoot, 'test/cluster', from), 'utf8')
    const file = join(this.folder, to)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(
      file,
      text.replaceAll(/@[A-Z]+@/g, word => words[word] ?? word),
    )
    chmodSync(file, 0o755)
  }

  /** The power switch: a request is a file there. */
  async #serveFencing(): Promise<void> {
    const ports = join(this.folder, 'ports')
    const coming: Promise<void>[] = []
    while (!this.#isOver) {
      const files = readdirSync(ports)
      for (const file of files.filter(name => !name.endsWith('.done') && !files.includes(`${name}.done`))) {
        const [, name = ''] = file.split('.')
        const node = this.node(name)
        await node.kill()
        this.fenced.push(name)
        writeFileSync(join(ports, `${file}.done`), '')
        coming.push(pause(rebootTime).then(() => (node.isUp || this.#isOver ? undefined : node.boot())))
      }
      await pause(30)
    }
    await Promise.all(coming)
  }
}

const addressOf = (index: number): string => `192.0.2.${index + 1}`

const corosyncText = (names: readonly string[]): string => `totem {
    version: 2
    cluster_name: xenlight
    transport: udpu
    token: 1000
}
nodelist {
${names.map((name, index) => `    node {\n        ring0_addr: ${addressOf(index)}\n        name: ${name}\n        nodeid: ${index + 1}\n    }`).join('\n')}
}
quorum {
    provider: corosync_votequorum
${names.length === 2 ? '    two_node: 1\n    wait_for_all: 0\n' : ''}}
logging {
    to_stderr: yes
    to_syslog: no
}
`

const properties = (id: string, values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join('')

/** Where ocf:xenlight:colo keeps what outlives a reboot. */
const placesOnDisk = { records: '/run/web/disk/records', overlays: '/run/web/disk/overlays' } as const

const guestText = `<primitive id="guest" class="ocf" provider="test" type="guest"><operations>
<op id="guest-monitor" name="monitor" interval="1s" timeout="20s"/></operations></primitive>`

const guestConstraints = `<rsc_colocation id="guest-with" rsc="guest" with-rsc="web-clone" with-rsc-role="Promoted" score="INFINITY"/>
<rsc_order id="guest-after" first="web-clone" first-action="promote" then="guest" then-action="start"/>`

function cibText(
  folder: string,
  [first, second]: readonly string[],
  { agent = 'remus', isFencing, subject }: ClusterOptions,
): string {
  const type = subject?.type ?? agent
  const nodes = `${first}=${addressOf(0)}:7800 ${second}=${addressOf(1)}:7800`
  const places = { nodes, pair_file: join(folder, 'pair') }
  const own =
    agent === 'remus'
      ? { disk: '/run/web/disk/web.img', dead_after: '3s', ...places }
      : { qemu: '/run/web/disk/guest-qemu', every: '300ms', ...placesOnDisk, ...places }
  const op = (name: string, interval: string, more = '', inner = '') =>
    `<op id="web-${name}-${interval}" name="${name}" interval="${interval}" timeout="30s" ${more}>${inner}</op>`
  const deep = (interval: string) =>
    `<instance_attributes id="web-deep-${interval}">${properties(`web-deep-${interval}`, { OCF_CHECK_LEVEL: '10' })}</instance_attributes>`
  return `<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.9"><configuration>
<crm_config><cluster_property_set id="options">${properties('options', {
    ...{ 'dc-deadtime': '2s', 'stonith-enabled': `${isFencing}`, 'no-quorum-policy': 'stop', 'stonith-timeout': '40s' },
  })}</cluster_property_set></crm_config>
<nodes/>
<resources>
<clone id="web-clone"><meta_attributes id="web-clone-meta">${properties('web-clone-meta', {
    ...{ promotable: 'true', 'promoted-max': '1', 'clone-max': '2', notify: 'true', interleave: 'true' },
  })}</meta_attributes>
<primitive id="web" class="ocf" provider="xenlight" type="${type}"><instance_attributes id="web-parameters">${properties(
    'web-parameters',
    { ...(subject?.parameters ?? own), report_degraded: 'deep' },
  )}</instance_attributes>
<operations>${op('start', '0s')}${op('stop', '0s')}${op('promote', '0s')}${op('demote', '0s')}
${op('monitor', '2s', 'role="Unpromoted"')}${op('monitor', '1s', 'role="Promoted"')}${op('monitor', '5s', 'role="Unpromoted"', deep('5s'))}${op('monitor', '6s', 'role="Promoted"', deep('6s'))}</operations>
</primitive></clone>
${agent === 'remus' ? guestText : ''}
${isFencing ? `<primitive id="power" class="stonith" type="fence_namespaces"><instance_attributes id="power-parameters">${properties('power-parameters', { pcmk_host_list: `${first} ${second}`, pcmk_host_check: 'static-list', pcmk_delay_base: `${first}:1s;${second}:0s` })}</instance_attributes></primitive>` : ''}
</resources>
<constraints>
<rsc_location id="not-elsewhere" rsc="web-clone" resource-discovery="exclusive"><rule id="not-elsewhere-rule" score="0" boolean-op="or">
<expression id="on-first" attribute="#uname" operation="eq" value="${first}"/><expression id="on-second" attribute="#uname" operation="eq" value="${second}"/></rule></rsc_location>
${agent === 'remus' ? guestConstraints : ''}
</constraints>
<rsc_defaults><meta_attributes id="defaults">${properties('defaults', { 'failure-timeout': '10s', 'resource-stickiness': '100' })}</meta_attributes></rsc_defaults>
</configuration><status/></cib>
`
}
