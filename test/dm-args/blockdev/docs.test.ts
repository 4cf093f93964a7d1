import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildBlockdevArgs, buildBlockGraph, toMermaid } from 'xenlight/dm-args'
import { projectRoot } from '../../support/project-root.js'
import { resolved } from './disks.js'

const page = readFileSync(join(projectRoot, 'docs/blockdev.md'), 'utf8')

/** The contents of the page's blocks in a language. */
const blocksOf = (language: string): string[] =>
  [...page.matchAll(/^```([a-z]*)\n(.*?\n)```$/gms)].flatMap(([, name, block]) => (name === language ? [block!] : []))

const guest = { domainType: 'hvm' } as const
const secondary = { ...guest, coloRestore: true }
const plain = ['vdev=hda,format=qcow2,target=/images/a,b.qcow2', 'vdev=hdc,cdrom,target=/images/cd.iso'].map(resolved)
const pair = [
  resolved(
    'colo,colo-host=192.0.2.7,colo-port=9999,colo-export=colo-disk0,' +
      'active-disk=/colo/active.qcow2,hidden-disk=/colo/hidden.qcow2,vdev=hda,target=/images/a.img',
  ),
]

t.test('docs/blockdev.md shows what comes out', t => {
  const shown = [buildBlockdevArgs(plain, guest), buildBlockdevArgs(pair, guest), buildBlockdevArgs(pair, secondary)]
  t.strictSame(
    blocksOf(''),
    shown.map(({ args }) => args.map((arg, at) => arg + (at % 2 === 0 ? ' ' : '\n')).join('')),
  )
  t.strictSame(blocksOf('mermaid'), [
    toMermaid(buildBlockGraph(pair, guest)),
    toMermaid(buildBlockGraph(pair, secondary)),
  ])
  t.end()
})
