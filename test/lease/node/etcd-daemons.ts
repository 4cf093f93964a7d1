import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type EtcdOptions, openEtcd } from 'xenlight/lease'
import { eventually } from '../../protocol-d/eventually.js'
import { freePort } from '../../protocol-d/free-port.js'
import type { Authority } from '../../replication/node/certificates.js'
import { MissingRealPart } from '../../support/real-part.js'

const program = '/usr/bin/etcd'

/** A member of a cluster, as a process. */
export class EtcdDaemon {
  readonly endpoint: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #said = ''

  constructor(endpoint: string, args: readonly string[]) {
    this.endpoint = endpoint
    this.#args = args
  }

  /** Starts it, or starts it again with what it had. */
  start(): void {
    this.#said = ''
    const child = spawn(program, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', text => {
      this.#said = (this.#said + text).slice(-2000)
    })
    this.#child = child
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** What it said last. */
  get said(): string {
    return this.#said
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGCONT')
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}

/** The member that leads; undefined where none says so. */
export async function leaderOf(members: readonly EtcdDaemon[]): Promise<EtcdDaemon | undefined> {
  for (const member of members) {
    const status = { method: 'POST', body: '{}', signal: AbortSignal.timeout(1000) }
    const reply = await fetch(`${member.endpoint}/v3/maintenance/status`, status).catch(() => undefined)
    const { header, leader } = ((await reply?.json()) ?? {}) as { header?: { member_id: string }; leader?: string }
    if (header !== undefined && header.member_id === leader) return member
  }
  return undefined
}

export interface EtcdCluster {
  members: readonly EtcdDaemon[]
  /** To reach all of them. */
  options: EtcdOptions
  /** Waits until what is asked is answered. */
  answers(): Promise<void>
  end(): Promise<void>
}

/** Starts a cluster, each member with a folder of its own. @throws MissingRealPart */
export async function startEtcd(
  t: Test,
  { size = 1, authority }: { size?: number; authority?: Authority } = {},
): Promise<EtcdCluster> {
  if (!existsSync(program)) throw new MissingRealPart('etcd', 'etcd-server')
  const folder = mkdtempSync(join(tmpdir(), 'etcd-'))
  const scheme = authority === undefined ? 'http' : 'https'
  const certificate = authority?.sign('etcd', 'IP:127.0.0.1')
  const names = certificate === undefined ? [] : (['ca', 'cert', 'key'] as const)
  for (const name of names) writeFileSync(join(folder, `${name}.pem`), certificate![name], { mode: 0o600 })
  const at = (name: string) => join(folder, `${name}.pem`)
  const tls =
    certificate === undefined
      ? []
      : ['--client-cert-auth', '--trusted-ca-file', at('ca'), '--cert-file', at('cert'), '--key-file', at('key')]
  const ports: { client: number; peer: number }[] = []
  for (let member = 0; member < size; member++) ports.push({ client: await freePort(), peer: await freePort() })
  const peers = ports.map(({ peer }, member) => `m${member}=http://127.0.0.1:${peer}`).join(',')
  const members = ports.map(({ client, peer }, member) => {
    const [clients, others] = [`${scheme}://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
    return new EtcdDaemon(clients, [
      ...['--name', `m${member}`, '--data-dir', join(folder, `m${member}`), '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients, '--listen-peer-urls', others],
      ...['--initial-advertise-peer-urls', others, '--initial-cluster', peers, ...tls],
    ])
  })
  const options = {
    endpoints: members.map(({ endpoint }) => endpoint),
    tls: authority?.sign('client'),
  }
  const cluster = {
    members,
    options,
    answers: async () => {
      using etcd = openEtcd({ ...options, timeout: 1000 })
      const said = () => members.map(({ said }) => said).join('')
      await eventually(
        'etcd answers',
        () =>
          etcd.leases.look('none').then(
            () => true,
            () => false,
          ),
        said,
      )
    },
    end: async () => {
      await Promise.all(members.map(member => member.end()))
    },
  }
  t.teardown(async () => {
    await cluster.end()
    rmSync(folder, { recursive: true, force: true })
  })
  for (const member of members) member.start()
  await cluster.answers()
  return cluster
}
