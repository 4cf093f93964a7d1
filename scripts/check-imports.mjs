// Holds src/ to the table of ARCHITECTURE.md: which room may import which, types too, and no circle of files.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

const importPattern =
  /^(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm

/** The rows of the table: each room, by its path in src, with what it may import. */
export function readRules(markdown) {
  const rules = new Map()
  for (const line of markdown.split('\n')) {
    const [, rooms, , imports] = /^\| (`.+?) \| (.+) \| (.+) \|$/.exec(line) ?? []
    if (rooms === undefined) continue
    const allowed = [...imports.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
    for (const [, room] of rooms.matchAll(/`src\/([^`]*?)(?:\.ts)?`/g)) {
      rules.set(room, imports === 'all of the above' ? new Set([...rules.keys(), 'node:*']) : new Set(allowed))
    }
  }
  return rules
}

/** What each file of src imports: files of src, node:… or packages. */
export function readImports(src) {
  const imports = new Map()
  for (const name of readdirSync(src, { recursive: true })) {
    const file = name.split(sep).join('/')
    if (!file.endsWith('.ts') || file.endsWith('.d.ts')) continue
    const text = readFileSync(join(src, name), 'utf8')
    const names = [...text.matchAll(importPattern)].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare)
    const resolve = path =>
      path.startsWith('.')
        ? relative(src, join(src, dirname(name), path))
            .split(sep)
            .join('/')
            .replace(/\.js$/, '.ts')
        : path
    imports.set(file, [...new Set(names.map(resolve))])
  }
  return imports
}

const isWithin = (path, room) => path === `${room}.ts` || path === room || path.startsWith(`${room}/`)

/** The room of a file: that whose path is the longest. */
const roomOf = (file, rooms) =>
  rooms
    .filter(room => isWithin(file, room))
    .reduce((longest, room) => (room.length > longest.length ? room : longest), '')

/** What breaks the rules, a line each. */
export function findBreaches(imports, rules) {
  const rooms = [...rules.keys()]
  const breaches = []
  for (const [file, names] of imports) {
    const room = roomOf(file, rooms)
    if (room === '') {
      breaches.push(`src/${file} is in no room of ARCHITECTURE.md's table`)
      continue
    }
    const allowed = rules.get(room)
    for (const name of names) {
      const target = imports.has(name) || name.endsWith('-grammar.ts') ? roomOf(name, rooms) : name
      const isAllowed = target === room || allowed.has(target) || (target.startsWith('node:') && allowed.has('node:*'))
      if (!isAllowed)
        breaches.push(
          `src/${file} imports ${imports.has(name) ? `src/${name}` : name}: ${room} may not import ${target}`,
        )
    }
  }
  return [
    ...breaches,
    ...findCircles(imports).map(circle => `a circle: ${circle.map(file => `src/${file}`).join(' → ')}`),
  ]
}

/** The first circle that each file is found in. */
function findCircles(imports) {
  const circles = []
  const done = new Set()
  const visit = (file, path) => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file])
      return
    }
    if (done.has(file)) return
    for (const name of imports.get(file) ?? []) visit(name, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return circles
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = new URL('..', import.meta.url)
  const rules = readRules(readFileSync(new URL('ARCHITECTURE.md', root), 'utf8'))
  const breaches = findBreaches(readImports(new URL('src', root).pathname), rules)
  for (const breach of breaches) console.error(breach)
  if (breaches.length > 0) process.exitCode = 1
}
