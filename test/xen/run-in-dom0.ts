import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { projectRoot } from '../support/project-root.js'

const { PATH, XEN_LAB, XEN_LAB_BUILD } = process.env

/** Not a real part that CI must have: few machines can run a Xen, and then XEN_LAB says where. */
export const withoutXen = XEN_LAB ? false : 'no real Xen: set XEN_LAB to a folder that has one (docs/testing.md)'

/** What dom0 gets: this Node, the package as it is built, and the compiled scripts of this folder. */
function share(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-dom0-'))
  copyFileSync(process.execPath, join(folder, 'node'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'xenlight'), { recursive: true })
  copyFileSync(join(projectRoot, 'package.json'), join(modules, 'xenlight/package.json'))
  cpSync(join(projectRoot, 'dist'), join(modules, 'xenlight/dist'), { recursive: true })
  for (const name of ['zod', 'koffi', '@koromix'])
    cpSync(join(projectRoot, 'node_modules', name), join(modules, name), { recursive: true, dereference: true })
  cpSync(join(projectRoot, 'build/test/xen'), join(folder, 'xen'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** What runs a script of this folder in dom0 of a real Xen. Disposed, the folder that it gets is gone. */
export interface Dom0Command extends Disposable {
  program: string
  args: string[]
  env: NodeJS.ProcessEnv
}

/** Builds the lab where it is not built yet. @throws Error with what it wrote where that fails */
export function dom0Command(script: string, seconds: number, options: readonly string[] = []): Dom0Command {
  const build = XEN_LAB_BUILD || join(tmpdir(), 'xenlight-xen-lab')
  const env = { PATH }
  // one at a time
  const built = spawnSync('flock', [`${build}.lock`, join(XEN_LAB!, 'build.sh'), build], { env, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`the lab is not built: ${built.error ?? ''}${built.stdout}${built.stderr}`)
  const folder = share()
  const command = ['./node', ...options, `xen/${script}`].join(' ')
  return {
    program: join(XEN_LAB!, 'run.sh'),
    args: ['-b', build, '-t', String(seconds), folder, command],
    env,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs a script of this folder in dom0; its tests become one of `t`'s. */
export async function runInDom0(t: Test, script: string, seconds: number): Promise<void> {
  const dom0 = dom0Command(script, seconds, ['--test-reporter=tap'])
  t.teardown(() => dom0[Symbol.dispose]())
  await t.spawn(dom0.program, dom0.args, { env: dom0.env }, 'dom0')
}
