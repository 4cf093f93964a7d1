import t from 'tap'
import { safeParseDisk, toLibxlJson } from 'xenlight'
import { goldenRows } from '../support/golden.js'

interface Row {
  specs: string[]
  rc: number
  stderr: string
  disk: Record<string, unknown> | null
}

t.test("what Xen's master answered: record or message", async t => {
  const rows = goldenRows<Row>('parse.jsonl.gz')
  t.ok(rows.length > 9000, `${rows.length} disks`)
  const differences = []
  for (const { specs, rc, stderr, disk } of rows) {
    const result = safeParseDisk(specs)
    const ours = result.success ? JSON.parse(toLibxlJson(result.disk)) : result.error.libxlMessage
    const real = rc === 0 ? disk : stderr
    if (JSON.stringify(ours) !== JSON.stringify(real)) differences.push({ specs, real, ours })
  }
  t.strictSame(differences.slice(0, 5), [], `${differences.length} differences`)
})
