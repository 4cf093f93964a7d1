import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { needs } from '../nbd/programs.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'

t.test('the demonstration: any moment of a guest, and its last write', async t => {
  const isHere = await realPart(t, () => {
    needs('qemu-system-x86_64')
    return true
  })
  if (!isHere) return
  const { stdout } = await promisify(execFile)(join(projectRoot, 'scripts/demo-rephub.sh'), [], { timeout: 240_000 })
  const numberOf = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
  const reported = numberOf(/the guest has reported (\d+) writes/)
  const past = numberOf(/\npast: all that the guest wrote, up to its write (\d+)\n/)
  const last = numberOf(/\nlast: all that the guest wrote, up to its write (\d+)\n/)
  t.ok(past > 0 && past < last, `${past} writes three seconds ago, ${last} in the end`)
  // the agent died with the guest: what was on its way then is lost with it
  t.ok(last > reported - 2000 && last <= reported + 1, `${last} of ${reported} writes`)
  t.match(stdout, /committed since .*epoch 3/)
})
