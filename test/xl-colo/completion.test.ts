import { spawnSync } from 'node:child_process'
import t from 'tap'
import { completionScript } from '#xenlight/xl-colo/completion/completion-script.js'
import { MissingRealPart, realPart } from '../support/real-part.js'

function shell(name: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, encoding: 'utf8' })
  if (error) throw new MissingRealPart(name, name)
  if (status !== 0) throw new Error(`${name}: exit status ${status}: ${stderr}`)
  return stdout
}

const offers: [line: string, words: string[]][] = [
  ['xl-colo st', ['start', 'status', 'stop']],
  ['xl-colo start --ev', ['--every']],
  ['xl-colo start --st', ['--stop-on-exit']],
  ['xl-colo failover --fo', ['--force']],
  ['xl-colo --completion z', ['zsh']],
]

t.test('bash completes verbs, their options, and files', async t => {
  const ask = `COMP_LINE=$1 COMP_POINT=\${#1}; compopt() { :; }; _xl_colo; printf "%s\\n" "\${COMPREPLY[@]}"`
  const complete = (line: string) => shell('bash', ['-c', `${completionScript('bash')}\n${ask}`, 'bash', line])
  const found = await realPart(t, () =>
    [
      ...offers,
      ['xl-colo status --fo', ['']] as const,
      ['xl-colo start --primary /et', ['/etc']] as const,
      ['xl-colo start --primary=/et', ['/etc']] as const,
      ['xl-colo start --primary /x,/et', ['/x,/etc']] as const,
      ['xl-colo prepare /et', ['/etc']] as const,
      ['xl-colo start --epoch ', ['']] as const,
    ].map(([line, words]) => [line, complete(line).replace(/\n$/, '').split('\n').sort(), words] as const),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('fish completes verbs and their options', async t => {
  const found = await realPart(t, () =>
    offers.map(([line, words]) => {
      const script = `${completionScript('fish')}\ncomplete -C '${line}'\n`
      const offered = shell('fish', ['--no-config', '-c', script]).trim().split('\n')
      return [line, offered.map(text => text.split('\t')[0]!).sort(), words] as const
    }),
  )
  for (const [line, words, wanted] of found ?? []) t.strictSame(words, wanted, line)
})

t.test('zsh takes its script', async t => {
  const script = `autoload -U compinit; compinit -D -u\n${completionScript('zsh')}\nprint -r -- $_comps[xl-colo]`
  const found = await realPart(t, () => shell('zsh', ['-f'], script))
  if (found !== undefined) t.equal(found, '_xl_colo\n')
})
