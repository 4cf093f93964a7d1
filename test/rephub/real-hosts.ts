import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { AgentStatus, HubStatus } from 'xenlight/replication'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { type Ended, type Staying, staying } from '../support/staying.js'

/** A folder in which both commands run; all that they started is gone when the test is. */
export interface Hosts {
  folder: string
  /** Runs a command to its end. */
  rephub(...args: string[]): Promise<Ended>
  repagent(...args: string[]): Promise<Ended>
  /** Starts one that stays. */
  stay(command: 'rephub' | 'repagent', ...args: string[]): Staying
  /** Serves a hub, and waits until it can be asked. */
  hub(...options: string[]): Promise<Staying>
  /** Protects a group, and waits until it can be asked. */
  agent(...words: string[]): Promise<Staying>
  hubStatus(): Promise<HubStatus & { exit: number }>
  agentStatus(): Promise<AgentStatus & { exit: number }>
  /** Waits until the hub has a group in a state. */
  until(group: string, state: string): Promise<void>
  /** Where QEMU finds a protected disk. */
  disk(group: string, disk: string): string
  /** Where the hub serves NBD. */
  nbd: string
}

const bin = (command: string) => join(projectRoot, `dist/bin/${command}.cjs`)

export function hosts(t: Test): Hosts {
  // a socket's path has to be short
  const folder = mkdtempSync(join(tmpdir(), 'rephub-'))
  const at = (name: string) => join(folder, name)
  const stayings: Staying[] = []
  t.teardown(async () => {
    for (const { child } of stayings) child.kill('SIGKILL')
    await Promise.all(stayings.map(({ ended }) => ended))
    rmSync(folder, { recursive: true, force: true })
  })
  mkdirSync(at('run'))
  const { PATH } = process.env
  const stay: Hosts['stay'] = (command, ...args) => {
    // the kernel ends it with the test
    const words = ['--pdeathsig', 'KILL', process.execPath, bin(command), ...args]
    const started = staying(spawn('setpriv', words, { cwd: folder, env: { PATH } }))
    stayings.push(started)
    return started
  }
  const rephub = (...args: string[]) => stay('rephub', ...args, '--control', at('hub.ctl')).ended
  const repagent = (...args: string[]) => stay('repagent', ...args, '--control', at('agent.ctl')).ended
  const json = async (ended: Promise<Ended>) => {
    const { stdout, stderr } = await ended
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  }
  const hubStatus = () => json(rephub('status', '--json'))
  return {
    folder,
    stay,
    rephub,
    repagent,
    nbd: at('nbd'),
    async hub(...options) {
      const where = ['--listen', at('h'), '--nbd', at('nbd'), '--control', at('hub.ctl')]
      const serving = stay('rephub', 'serve', '--data', at('copies'), ...where, ...options)
      await serving.until(/^(\{|hub )/)
      return serving
    },
    async agent(...words) {
      const where = ['--hub', at('h'), '--state', at('state'), '--run', at('run'), '--control', at('agent.ctl')]
      const serving = stay('repagent', 'protect', ...words, '--name', 'anna', ...where)
      await serving.until(/connected/)
      return serving
    },
    hubStatus,
    agentStatus: () => json(repagent('status', '--json')),
    async until(group, state) {
      let last: HubStatus | undefined
      await eventually(
        `${group} is ${state}`,
        async () => {
          last = await hubStatus()
          return last!.groups.some(one => one.name === group && one.state === state)
        },
        () => JSON.stringify(last),
      )
    },
    disk: (group, disk) => at(`run/${group}.${disk}.sock`),
  }
}
