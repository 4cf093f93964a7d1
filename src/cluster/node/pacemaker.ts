import type { ClusterManager, Membership } from '../cluster-manager.js'
import { readMembership } from '../crm-mon.js'
import type { Ran, RunProgram } from './run-program.js'

/** The status by which Pacemaker's tools say that something is not there. */
const noSuch = 105

/** Pacemaker, by its own tools. */
export class Pacemaker implements ClusterManager {
  readonly #run: RunProgram

  constructor(run: RunProgram) {
    this.#run = run
  }

  async hasQuorum(): Promise<boolean> {
    return (await this.#ask('crm_node', ['-q'])).trim() === '1'
  }

  async isFencing(): Promise<boolean> {
    const value = (await this.property('stonith-enabled')) ?? 'true'
    return !['false', 'no', 'off', 'n', '0'].includes(value.toLowerCase())
  }

  async membership(node: string): Promise<Membership> {
    return readMembership(await this.#ask('crm_mon', ['-1', '--output-as=xml']), node)
  }

  async property(name: string): Promise<string | undefined> {
    const ran = await this.#run('crm_attribute', ['-t', 'crm_config', '-n', name, '-G', '-q'])
    if (ran.status === noSuch) return undefined
    return answer('crm_attribute', ran).trim() || undefined
  }

  async setProperty(name: string, value: string | undefined): Promise<void> {
    const change = value === undefined ? ['-D'] : ['-v', value]
    await this.#ask('crm_attribute', ['-t', 'crm_config', '-n', name, ...change])
  }

  /** Of the resource of this process's environment. */
  async setScore(score: number | undefined): Promise<void> {
    const ran = await this.#run('crm_attribute', [
      '--promotion',
      ...(score === undefined ? ['-D'] : ['-v', `${score}`]),
    ])
    if (ran.status !== noSuch) answer('crm_attribute', ran)
  }

  async onlyPromotable(resource: string): Promise<string | undefined> {
    const xpath = `//rsc_location[@id='${constraintOf(resource)}']//expression`
    const ran = await this.#run('cibadmin', ['-Q', '--xpath', xpath])
    if (ran.status === noSuch) return undefined
    const [, node] = /\bvalue="([\w.-]+)"/.exec(answer('cibadmin', ran)) ?? []
    if (node === undefined) throw new Error(`the constraint ${constraintOf(resource)} is not as an agent writes it`)
    return node
  }

  async setOnlyPromotable(resource: string, node: string | undefined): Promise<void> {
    const id = constraintOf(resource)
    if (node === undefined) {
      const ran = await this.#run('cibadmin', ['--delete', '--xpath', `//rsc_location[@id='${id}']`])
      if (ran.status !== noSuch) answer('cibadmin', ran)
      return
    }
    const expression = `<expression id="${id}-node" attribute="#uname" operation="ne" value="${node}"/>`
    const rule = `<rule id="${id}-rule" role="Promoted" score="-INFINITY">${expression}</rule>`
    const xml = `<rsc_location id="${id}" rsc="${await this.#cloneOf(resource)}">${rule}</rsc_location>`
    await this.#ask('cibadmin', ['--modify', '--allow-create', '-o', 'constraints', '-X', xml])
  }

  /** The clone that the resource is in: it is what is promoted. */
  async #cloneOf(resource: string): Promise<string> {
    const xpath = `//primitive[@id='${resource}']`
    const path = await this.#ask('cibadmin', ['-Q', '--node-path', '--xpath', xpath])
    const [, clone] = /\/(?:clone|master)\[@id=['"]([\w.-]+)['"]\]/.exec(path) ?? []
    if (clone === undefined) throw new Error(`${resource} is in no promotable clone`)
    return clone
  }

  async #ask(program: string, args: readonly string[]): Promise<string> {
    return answer(program, await this.#run(program, args))
  }
}

/** Named as an operator will find it. */
const constraintOf = (resource: string): string => `xenlight-alone-${resource}`

function answer(program: string, { status, stdout, stderr }: Ran): string {
  if (status === 0) return stdout
  throw new Error(`${program} failed (${status}): ${stderr.trim().split('\n').at(-1) || 'it does not say why'}`)
}
