import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart } from '../support/real-part.js'

const modified = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Builds test/real/NAME.c into build/real/NAME unless that is newer, and returns its path. */
export function buildC(name: string, { libraries, packages }: { libraries: string[]; packages: string }): string {
  const source = join(projectRoot, 'test/real', `${name}.c`)
  const program = join(projectRoot, 'build/real', name)
  if (modified(program) > modified(source)) return program

  mkdirSync(join(projectRoot, 'build/real'), { recursive: true })
  // Several test files may build at once; a rename puts a whole program in place.
  const fresh = `${program}.${process.pid}`
  const gcc = spawnSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', fresh, source, ...libraries], {
    encoding: 'utf8',
  })
  if (gcc.error) throw new MissingRealPart('gcc', packages)
  if (/fatal error: .*No such file|cannot find -l/.test(gcc.stderr))
    throw new MissingRealPart(
      `what ${name}.c needs (${/fatal error: .*|cannot find -l\S*/.exec(gcc.stderr)})`,
      packages,
    )
  if (gcc.status !== 0) throw new Error(`gcc ${name}.c failed\n${gcc.stderr}`)
  renameSync(fresh, program)
  return program
}
