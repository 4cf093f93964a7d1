// Builds dist/ from nothing: the parsers from their grammars, the library with tsc, the JSON Schema, each command as one file.
// With --if-stale it does nothing where dist/ is what the last build made of the same sources.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import esbuild from 'esbuild'
import peggy from 'peggy'
import { forgetBuild, isBuilt, rememberBuild } from './built.mjs'
import { direct } from './peggy-direct.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
if (process.argv.includes('--if-stale') && isBuilt()) process.exit()
forgetBuild()

/** The grammars, and what generates their parsers' code if not peggy itself. */
const grammars = { disk: [direct], cfg: [] }

function generate(name, plugins) {
  const grammarSource = `grammar/${name}.peggy`
  const text = readFileSync(grammarSource, 'utf8')
  try {
    const code = peggy.generate(text, { grammarSource, plugins, output: 'source', format: 'es' })
    writeFileSync(`src/xlu/${name}-grammar.js`, code)
    copyFileSync(`grammar/${name}.d.ts`, `src/xlu/${name}-grammar.d.ts`)
  } catch (error) {
    if (typeof error.format !== 'function') throw error
    console.error(error.format([{ source: grammarSource, text }]))
    process.exit(1)
  }
}

rmSync('dist', { recursive: true, force: true })
for (const [name, plugins] of Object.entries(grammars)) generate(name, plugins)
execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
for (const name of Object.keys(grammars))
  for (const ending of ['js', 'd.ts'])
    copyFileSync(`src/xlu/${name}-grammar.${ending}`, `dist/xlu/${name}-grammar.${ending}`)

const [{ toJSONSchema }, { DeviceDisk }] = await Promise.all([import('zod'), import('../dist/libxl/device-disk.js')])
writeFileSync('dist/device-disk.schema.json', `${JSON.stringify(toJSONSchema(DeviceDisk), undefined, 2)}\n`)

// CommonJS, as to start the loader of ES modules takes a quarter of the time that the command may take beside Node's own
const command = 'dist/bin/xl-disk-parse.cjs'
/** What a bundle of CommonJS has in the place of import.meta.url. */
const moduleUrl = "const moduleUrl = require('node:url').pathToFileURL(__filename)"
const bundled = { bundle: true, platform: 'node', target: 'node20', minify: true, legalComments: 'none' }
// What works on a running Xen is as large as the rest and seldom needed: read only then, from a file of its own.
const store = './store/index.js'
await esbuild.build({
  ...bundled,
  entryPoints: ['dist/cli/main.js'],
  outfile: command,
  format: 'cjs',
  external: [store],
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: moduleUrl },
})
await esbuild.build({
  ...bundled,
  entryPoints: [`dist/cli/${store}`],
  outfile: `dist/bin/${store}`,
  format: 'esm',
})
const pairs = ['rephub', 'repagent', 'xl-cluster', 'xl-colo', 'xl-remus']
for (const name of pairs)
  await esbuild.build({
    ...bundled,
    entryPoints: [`dist/${name}/main.js`],
    outfile: `dist/bin/${name}.cjs`,
    format: 'cjs',
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: moduleUrl },
  })
for (const file of [command, ...pairs.map(name => `dist/bin/${name}.cjs`)]) chmodSync(file, 0o755)
rememberBuild()
