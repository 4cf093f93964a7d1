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
  cpSync(join(projectRoot, 'node_modules/zod'), join(modules, 'zod'), { recursive: true, dereference: true })
  cpSync(join(projectRoot, 'build/test/xen'), join(folder, 'xen'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** Runs a script of this folder in dom0 of a real Xen; its tests become one of `t`'s. */
export async function runInDom0(t: Test, script: string, seconds: number): Promise<void> {
  const build = XEN_LAB_BUILD || join(tmpdir(), 'xenlight-xen-lab')
  const env = { PATH }
  const built = spawnSync(join(XEN_LAB!, 'build.sh'), [build], { env, encoding: 'utf8' })
  if (!t.equal(built.status, 0, 'the lab is built', { output: `${built.stdout}${built.stderr}` })) return

  const folder = share()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const command = `./node --test-reporter=tap xen/${script}`
  await t.spawn(join(XEN_LAB!, 'run.sh'), ['-b', build, '-t', String(seconds), folder, command], { env }, 'dom0')
}
