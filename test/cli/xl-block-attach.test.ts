import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { goldenRows } from '../support/golden.js'
import { projectRoot } from '../support/project-root.js'

interface Row {
  words: string[]
  exitStatus: number
  stdout: string
}

const command = join(projectRoot, 'dist/bin/xl-disk-parse.cjs')

const run = (args: string[]) =>
  new Promise<{ exitStatus: number; stdout: string; stderr: string }>(resolve => {
    const child = execFile(process.execPath, [command, ...args], (_error, stdout, stderr) =>
      resolve({ exitStatus: child.exitCode ?? -1, stdout, stderr }),
    )
  })

t.test("Xen's own cases of xl -N block-attach", async t => {
  const rows = goldenRows<Row>('parse-check-xl.jsonl')
  t.equal(rows.length, 28)
  for (const { words, exitStatus, stdout } of rows)
    for (const args of [words, ['-N', 'block-attach', '0', ...words]]) {
      const answer = await run(args)
      t.strictSame({ exitStatus: answer.exitStatus, stdout: answer.stdout }, { exitStatus, stdout }, args.join(' '))
      if (exitStatus !== 0) t.match(answer.stderr, 'no vdev specified')
    }
})
