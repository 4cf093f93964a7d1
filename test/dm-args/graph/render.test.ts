import fc from 'fast-check'
import t from 'tap'
import { type BlockGraph, buildBlockGraph, toDot, toMermaid } from 'xenlight/dm-args'
import { colo } from '../blockdev/disks.js'

const primary = buildBlockGraph([colo('vdev=hda,target=/my image.img')], { domainType: 'hvm' })

t.test('a graph as a Mermaid flowchart', t => {
  t.equal(
    toMermaid(primary),
    `flowchart TD
  n0["ide-hd ide-768<br/>hda on ide.0 unit 0"]
  n1["quorum colo-disk0"]
  n2["raw ide0-hd0"]
  n3["file ide0-hd0-file<br/>/my image.img"]
  n4["replication<br/>mode=primary"]
  n5["nbd<br/>192.0.2.7#58;9999<br/>export colo-disk0"]
  n0 -->|"drive"| n1
  n1 -->|"children.0"| n2
  n2 -->|"file"| n3
  n1 -.->|"children.1"| n4
  n4 -.->|"file"| n5
`,
  )
  t.equal(toMermaid({ nodes: [], edges: [] }), 'flowchart TD\n')
  t.end()
})

t.test('a graph as a DOT digraph', t => {
  t.equal(
    toDot(primary),
    `digraph {
  node [shape=box]
  n0 [label="ide-hd ide-768\\nhda on ide.0 unit 0"]
  n1 [label="quorum colo-disk0"]
  n2 [label="raw ide0-hd0"]
  n3 [label="file ide0-hd0-file\\n/my image.img"]
  n4 [label="replication\\nmode=primary"]
  n5 [label="nbd\\n192.0.2.7:9999\\nexport colo-disk0"]
  n0 -> n1 [label="drive"]
  n1 -> n2 [label="children.0"]
  n2 -> n3 [label="file"]
  n1 -> n4 [label="children.1" style=dashed]
  n4 -> n5 [label="file" style=dashed]
}
`,
  )
  t.equal(toDot({ nodes: [], edges: [] }), 'digraph {\n  node [shape=box]\n}\n')
  t.end()
})

const of = (...label: string[]): BlockGraph => ({
  nodes: [{ id: 'a', kind: 'device', label }],
  edges: [],
  warnings: [],
})
const mermaidLabel = (text: string): string | undefined => /^ {2}n0\["(.*)"\]$/m.exec(toMermaid(of(text)))?.[1]
const dotLabel = (text: string): string | undefined => /^ {2}n0 \[label="(.*)"\]$/m.exec(toDot(of(text)))?.[1]

t.test('no text breaks out of a label', t => {
  for (const [text, mermaid, dot] of [
    ['"]', '#34;#93;', '\\"]'],
    ['a\\', 'a#92;', 'a\\\\'],
    ['\\"', '#92;#34;', '\\\\\\"'],
    ['<b>&lt;', '#60;b#62;#38;lt#59;', '<b>&amp;lt;'],
    ['#quot;', '#35;quot#59;', '#quot;'],
    ['%%{init: {}}%%', '#37;#37;#123;init#58; #123;#125;#125;#37;#37;', '%%{init: {}}%%'],
    ['`*a*_b_`', '#96;#42;a#42;#95;b#95;#96;', '`*a*_b_`'],
    ['a\nb\0', 'a#9226;b#9216;', 'a␊b␀'],
    ['\u202e\udc80\u0085', '#65533;#65533;#65533;', '\ufffd\ufffd\ufffd'],
    ['日本é', '日本é', '日本é'],
    ['💾', '#128190;', '💾'],
    ['\\N', '#92;N', '\\\\N'],
  ] as const) {
    t.equal(mermaidLabel(text), mermaid, JSON.stringify(text))
    t.equal(dotLabel(text), dot, JSON.stringify(text))
  }
  t.end()
})

t.test('a rendered graph has a line for each node, and its label holds nothing but harmless signs', t => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '\\', '\n', '"]', '#', ';', '<', '>', '&', '%%{', '`', '-->', ']', '\r\n', '\u2028', '\udc80'),
  )
  const label = fc.array(
    fc.array(piece).map(pieces => pieces.join('')),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(label, lines => {
      const mermaid = toMermaid(of(...lines))
      if (!/^flowchart TD\n {2}n0\["(?:[\p{L}\p{N} ./,=-]|#\d+;|<br\/>)*"\]\n$/u.test(mermaid)) throw new Error(mermaid)
      const dot = toDot(of(...lines))
      // in a quoted string: no quote and no line end, and a backslash only before one of these
      if (!/^digraph \{\n {2}node \[shape=box\]\n {2}n0 \[label="(?:[^"\\\p{Cc}]|\\["\\n])*"\]\n\}\n$/u.test(dot))
        throw new Error(dot)
    }),
    { numRuns: 3000 },
  )
  t.end()
})
