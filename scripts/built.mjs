import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What dist/ is made of, and dist/ itself: a change of either makes a build stale. */
const parts = ['src', 'grammar', 'dist', 'scripts/build.mjs', 'scripts/peggy-direct.mjs']
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json']
const stamp = 'build/dist.sha256'

const filesOf = part =>
  readdirSync(part, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()

/** A digest of names and contents; times would lie after a checkout. */
function digest() {
  const hash = createHash('sha256')
  const files = [...parts.flatMap(part => (part.includes('.') ? [part] : filesOf(part))), ...settings]
  for (const file of files) {
    const content = readFileSync(file)
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** Whether dist/ is what the last build made of the sources as they are; in the project's folder, as all of these. */
export function isBuilt() {
  return existsSync(stamp) && existsSync('dist') && readFileSync(stamp, 'utf8') === digest()
}

/** Before a build: one that fails half-way leaves nothing that looks fresh. */
export function forgetBuild() {
  rmSync(stamp, { force: true })
}

/** After a build. */
export function rememberBuild() {
  mkdirSync('build', { recursive: true })
  writeFileSync(stamp, digest())
}
