import { readdirSync } from 'node:fs'
import t from 'tap'
import { completionScript } from '#xenlight/cli/completion/completion-script.js'
import { completedByBash, completedByFish, completerOfZsh } from '../../support/completed-by.js'
import { realPart } from '../../support/real-part.js'

const name = 'xl-disk-parse'

const offers: [line: string, words: string[]][] = [
  ['xl-disk-parse --ou', ['--output']],
  ['xl-disk-parse -o x', ['xenstore']],
  ['xl-disk-parse --hdtype ', ['ahci', 'ide']],
  ['xl-disk-parse gr', ['grant_usage=']],
  ['xl-disk-parse untr', ['untrusted']],
]

t.test('bash completes options and specs', async t => {
  const found = await realPart(t, () =>
    [
      ...offers,
      ['xl-disk-parse vdev=hda,format=q', ['qcow', 'qcow2', 'qed']] as const,
      ['xl-disk-parse --output=x', ['xenstore']] as const,
      ['xl-disk-parse --hdtype=', ['ahci', 'ide']] as const,
      ['xl-disk-parse --config=/et', ['/etc']] as const,
      ['xl-disk-parse colo,active-disk=/et', ['/etc']] as const,
    ].map(([line, words]) => [line, completedByBash(name, completionScript('bash'), line), words] as const),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('bash offers file names as they are', async t => {
  const files = ['$(touch oops)', 'a b']
  const directory = t.testdir(Object.fromEntries(files.map(file => [file, ''])))
  const script = `${completionScript('bash')}\ncd '${directory}'`
  const found = await realPart(t, () => completedByBash(name, script, `${name} target=`))
  if (found !== undefined) t.strictSame([found, readdirSync(directory).sort()], [files, files])
})

t.test('fish completes options and specs', async t => {
  const found = await realPart(t, () =>
    [
      ...offers,
      ['xl-disk-parse vdev=hda,format=qe', ['vdev=hda,format=qed']] as const,
      ['xl-disk-parse vdev=hda,target=/et', ['vdev=hda,target=/etc/']] as const,
    ].map(([line, words]) => [line, completedByFish(completionScript('fish'), line), words] as const),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('zsh takes its script', async t => {
  const found = await realPart(t, () => completerOfZsh(name, completionScript('zsh')))
  if (found !== undefined) t.equal(found, '_xl_disk_parse')
})
