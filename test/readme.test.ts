import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from './support/project-root.js'

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
const attach = readFileSync(join(projectRoot, 'docs/attach.md'), 'utf8')
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, code]) => (tag === language ? [code!] : []))

/** All of README's, and of docs/attach.md the one that needs no Xen. */
const blocks = [...blocksOf(readme, 'ts'), blocksOf(attach, 'ts').at(-1)!]

// Inside the project, where the package's own name leads to it.
mkdirSync(join(projectRoot, 'build'), { recursive: true })
const folder = mkdtempSync(join(projectRoot, 'build/readme-'))
t.teardown(() => rmSync(folder, { recursive: true }))
for (const [index, code] of blocks.entries()) writeFileSync(join(folder, `block-${index}.ts`), code)

// The command as npm installs it, in front of all others.
const bin = join(folder, 'bin')
mkdirSync(bin)
const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
for (const [name, path] of Object.entries<string>(manifest.bin)) symlinkSync(join(projectRoot, path), join(bin, name))

// With an empty environment, as a user has it: tap puts loaders of its own into that of its children.
const run = (cwd: string, program: string, ...args: string[]) => {
  const { PATH } = process.env
  const { status, stdout, stderr } = spawnSync('env', ['-i', `PATH=${bin}:${PATH}`, program, ...args], {
    cwd,
    encoding: 'utf8',
    input: '',
  })
  return { status, stdout, said: stdout + stderr }
}

const modules = {
  nodenext: { module: 'nodenext' },
  node16: { module: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}
for (const [name, options] of Object.entries(modules))
  t.test(`the TypeScript compiles under ${name}`, async t => {
    t.ok(blocks.length >= 7, `${blocks.length} blocks`)
    const compilerOptions = {
      ...{ target: 'es2023', types: ['node'], moduleDetection: 'force', ...options },
      ...{ strict: true, skipLibCheck: true, rootDir: projectRoot, outDir: join(folder, name) },
    }
    const project = join(folder, `tsconfig.${name}.json`)
    writeFileSync(project, JSON.stringify({ compilerOptions, files: blocks.map((_, index) => `block-${index}.ts`) }))
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc')
    const { status, said } = run(folder, process.execPath, tsc, '-p', project)
    t.equal(status, 0, said)
  })

const output = [
  /^-drive file=\/img\/guest\.qcow2,if=ide,index=0,media=disk,format=qcow2,cache=writeback\n$/,
  /params qcow2:[\s\S]*if=ide[\s\S]*warning colo-missing-key/,
  /^$/,
  /^$/,
  /driver[\s\S]*replication[\s\S]*flowchart TD\n[\s\S]*NBD server/,
  /^guest 512n?\n\/dev\/vg\/guest,raw,xvda,rw xvda\n$/,
  /^xvdb \/dev\/vg\/data 7\n$/,
  /^25\n$/,
  /^$/,
]
for (const name of Object.keys(modules))
  for (const index of blocks.keys())
    t.test(`block ${index + 1}, compiled under ${name}, runs`, async t => {
      const { status, stdout, said } = run(folder, process.execPath, join(compiled(name), `block-${index}.js`))
      // those that need QEMUs (test/colo, test/protocol-d) come as far as the first thing that is not there
      if (blocks[index]!.includes('xenlight/colo')) t.match(said, /no connection to QEMU at \/run\/a\.1/)
      else if (blocks[index]!.includes('xenlight/remus')) t.match(said, /cannot reach a node at \/run\/g\.ctl/)
      else t.equal(status, 0, said)
      t.match(stdout, output[index]!)
    })

/** Where tsc put them: below outDir as they lie below the project's folder. */
function compiled(name: string): string {
  return join(folder, name, folder.slice(projectRoot.length))
}

const [first] = blocksOf(readme, '')
t.test('the first example prints what is written below it', async t => {
  t.match(first, output[0]!)
})

t.test('what is pasted into a shell works, and each line of it', async t => {
  const here = mkdtempSync(join(tmpdir(), 'readme-'))
  t.teardown(() => rmSync(here, { recursive: true }))
  // Installing and testing are what this test is part of.
  const shell = blocksOf(readme, 'sh').filter(code => !/^npm (?:install|ci) /.test(code))
  const lines = shell.flatMap(code => code.split('\n')).filter(line => line !== '')
  t.ok(lines.length >= 8, `${lines.length} lines`)
  for (const line of lines) {
    const { status, stdout, said } = run(here, 'sh', '-c', line)
    t.equal(status, 0, `${line}\n${said}`)
    t.equal(stdout === '', />/.test(line), `${line}: it prints something, unless into a file`)
    t.notMatch(said, /^(?:error|warning)\[not-emulated/m, line)
  }
  for (const code of shell) t.equal(run(here, 'sh', '-ec', code).status, 0)
})

t.test('a command with its output has that output', async t => {
  const [, ...sessions] = blocksOf(readme, '').join('').split(/^\$ /m)
  t.equal(sessions.length, 1)
  for (const session of sessions) {
    const end = session.indexOf('\n')
    t.equal(run(folder, 'sh', '-c', session.slice(0, end)).said, session.slice(end + 1))
  }
})

t.test('what README links to is in the package', async t => {
  const { stdout, said } = run(projectRoot, 'npm', 'pack', '--dry-run', '--json', '--ignore-scripts')
  const packed = new Set<string>(
    JSON.parse(stdout.slice(stdout.indexOf('[')))[0].files.map((file: { path: string }) => file.path),
  )
  const links = [...readme.matchAll(/\]\(([^)#]+)/g)].flatMap(([, link]) => (/^https?:/.test(link!) ? [] : [link!]))
  t.ok(links.length >= 9, `${links.length} links`)
  t.strictSame(
    links.filter(link => !packed.has(link)),
    [],
    said,
  )
})
