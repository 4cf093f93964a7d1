// Builds dist/ from nothing: the parsers from their grammars, the library with tsc, the command as one file.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import esbuild from 'esbuild'
import peggy from 'peggy'
import { direct } from './peggy-direct.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

function generate(name, plugins) {
  const grammarSource = `grammar/${name}.peggy`
  const text = readFileSync(grammarSource, 'utf8')
  try {
    const code = peggy.generate([{ source: grammarSource, text }], {
      grammarSource,
      plugins,
      output: 'source',
      format: 'es',
    })
    writeFileSync(`src/xlu/${name}-grammar.js`, code)
    copyFileSync(`grammar/${name}.d.ts`, `src/xlu/${name}-grammar.d.ts`)
  } catch (error) {
    if (typeof error.format !== 'function') throw error
    console.error(error.format([{ source: grammarSource, text }]))
    process.exit(1)
  }
}

rmSync('dist', { recursive: true, force: true })
const grammars = ['disk', 'cfg'].filter(name => existsSync(`grammar/${name}.peggy`))
for (const name of grammars) generate(name, name === 'disk' ? [direct] : [])
execFileSync(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
mkdirSync('dist/xlu', { recursive: true })
for (const name of grammars)
  for (const ending of ['js', 'd.ts'])
    copyFileSync(`src/xlu/${name}-grammar.${ending}`, `dist/xlu/${name}-grammar.${ending}`)

const [{ toJSONSchema }, { DeviceDisk }] = await Promise.all([import('zod'), import('../dist/libxl/device-disk.js')])
writeFileSync('dist/device-disk.schema.json', `${JSON.stringify(toJSONSchema(DeviceDisk), undefined, 2)}\n`)

if (existsSync('src/cli/main.ts')) {
  await esbuild.build({
    entryPoints: ['dist/cli/main.js'],
    outfile: 'dist/bin/xl-disk-parse.js',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    legalComments: 'none',
  })
  chmodSync('dist/bin/xl-disk-parse.js', 0o755)
}
