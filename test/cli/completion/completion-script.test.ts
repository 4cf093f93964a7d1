import { spawnSync } from 'node:child_process'
import t from 'tap'
import { completionScript } from '#xenlight/cli/completion/completion-script.js'
import { MissingRealPart, realPart } from '../../support/real-part.js'

function shell(name: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, encoding: 'utf8' })
  if (error) throw new MissingRealPart(name, name)
  if (status !== 0) throw new Error(`${name}: exit status ${status}: ${stderr}`)
  return stdout
}

const offers: [line: string, words: string[]][] = [
  ['xl-disk-parse --ou', ['--output']],
  ['xl-disk-parse -o x', ['xenstore']],
  ['xl-disk-parse --hdtype ', ['ahci', 'ide']],
  ['xl-disk-parse gr', ['grant_usage=']],
  ['xl-disk-parse untr', ['untrusted']],
]

t.test('bash completes options and specs', async t => {
  const ask = `COMP_LINE=$1 COMP_POINT=\${#1}; compopt() { :; }; _xl_disk_parse; printf "%s\\n" "\${COMPREPLY[@]}"`
  const complete = (line: string) => shell('bash', ['-c', `${completionScript('bash')}\n${ask}`, 'bash', line])
  const found = await realPart(t, () =>
    [
      ...offers,
      ['xl-disk-parse vdev=hda,format=q', ['qcow', 'qcow2', 'qed']] as const,
      ['xl-disk-parse --output=x', ['xenstore']] as const,
      ['xl-disk-parse --hdtype=', ['ahci', 'ide']] as const,
      ['xl-disk-parse --config=/et', ['/etc']] as const,
      ['xl-disk-parse colo,active-disk=/et', ['/etc']] as const,
    ].map(([line, words]) => [line, complete(line).trim().split('\n').sort(), words] as const),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('bash offers file names as they are', async t => {
  const directory = t.testdir({ '$(touch oops)': '', 'a b': '' })
  const ask = `cd '${directory}'; COMP_LINE='xl-disk-parse target=' COMP_POINT=21; compopt() { :; }; _xl_disk_parse; printf "%s\\n" "\${COMPREPLY[@]}"; ls`
  const found = await realPart(t, () => shell('bash', ['-c', `${completionScript('bash')}\n${ask}`]))
  if (found !== undefined)
    t.strictSame(found.trim().split('\n').sort(), ['$(touch oops)', '$(touch oops)', 'a b', 'a b'])
})

t.test('fish completes options and specs', async t => {
  const found = await realPart(t, () =>
    [
      ...offers,
      ['xl-disk-parse vdev=hda,format=qe', ['vdev=hda,format=qed']] as const,
      ['xl-disk-parse vdev=hda,target=/et', ['vdev=hda,target=/etc/']] as const,
    ].map(([line, words]) => {
      const script = `${completionScript('fish')}\ncomplete -C '${line}'\n`
      const offered = shell('fish', ['--no-config', '-c', script]).trim().split('\n')
      return [line, offered.map(text => text.split('\t')[0]!).sort(), words] as const
    }),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('zsh takes its script', async t => {
  const script = `autoload -U compinit; compinit -D -u\n${completionScript('zsh')}\nprint -r -- $_comps[xl-disk-parse]`
  const found = await realPart(t, () => shell('zsh', ['-f'], script))
  if (found !== undefined) t.equal(found, '_xl_disk_parse\n')
})
