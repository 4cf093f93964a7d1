import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from './support/project-root.js'

const blocksOf = (file: string): string[] =>
  [...readFileSync(join(projectRoot, file), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
/** All of README's, and of docs/attach.md the one that needs no Xen. */
const blocks = [...blocksOf('README.md'), blocksOf('docs/attach.md').at(-1)!]

// Inside the project, where the package's own name leads to it.
mkdirSync(join(projectRoot, 'build'), { recursive: true })
const folder = mkdtempSync(join(projectRoot, 'build/readme-'))
t.teardown(() => rmSync(folder, { recursive: true }))

const guest = join(folder, 'guest.cfg')
writeFileSync(guest, 'name = "guest"\nmemory = 512\ndisk = [ "/dev/vg/guest,raw,xvda,rw" ]\n')
for (const [index, code] of blocks.entries())
  writeFileSync(join(folder, `block-${index}.ts`), code.replace("'/etc/xen/guest.cfg'", JSON.stringify(guest)))
const compilerOptions = {
  ...{ target: 'es2023', types: ['node'] },
  ...{ module: 'nodenext', moduleDetection: 'force' },
  ...{ strict: true, skipLibCheck: true, resolveJsonModule: true, rootDir: projectRoot },
}
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))

// With an empty environment, as a user has it: tap puts loaders of its own into that of its children.
const node = (...args: string[]) => {
  const { PATH } = process.env
  const command = ['-i', `PATH=${PATH}`, process.execPath, ...args]
  const { status, stdout, stderr } = spawnSync('env', command, { cwd: folder, encoding: 'utf8' })
  return { status, stdout, said: stdout + stderr }
}

t.test('the TypeScript compiles', async t => {
  t.ok(blocks.length >= 5, `${blocks.length} blocks`)
  const { status, said } = node(join(projectRoot, 'node_modules/typescript/bin/tsc'), '-p', folder)
  t.equal(status, 0, said)
})

const output = [
  /params qcow2:[\s\S]*if=ide[\s\S]*warning colo-missing-key/,
  /driver[\s\S]*replication[\s\S]*flowchart TD\n[\s\S]*NBD server/,
  /^\/dev\/vg\/guest,raw,xvda,rw xvda\n$/,
  /^xvdb \/dev\/vg\/data 7\n$/,
  /^$/,
  /^$/,
]
for (const index of blocks.keys()) {
  t.test(`block ${index + 1} runs`, async t => {
    const { status, stdout, said } = node(join(folder, `block-${index}.js`))
    t.equal(status, 0, said)
    t.match(stdout, output[index]!)
  })
}
