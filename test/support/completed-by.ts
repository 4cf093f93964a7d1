import { spawnSync } from 'node:child_process'
import { MissingRealPart } from './real-part.js'

function shell(name: string, args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, encoding: 'utf8' })
  if (error) throw new MissingRealPart(name, name)
  if (status !== 0) throw new Error(`${name}: exit status ${status}: ${stderr}`)
  return stdout
}

/** What a real bash offers at the end of a line, in order. @throws MissingRealPart */
export function completedByBash(command: string, script: string, line: string): string[] {
  const call = `_${command.replaceAll('-', '_')}`
  const ask = `COMP_LINE=$1 COMP_POINT=\${#1}; compopt() { :; }; ${call}; printf "%s\\n" "\${COMPREPLY[@]}"`
  const offered = shell('bash', ['-c', `${script}\n${ask}`, 'bash', line])
  return offered.replace(/\n$/, '').split('\n').sort()
}

/** What a real fish offers. @throws MissingRealPart */
export function completedByFish(script: string, line: string): string[] {
  const offered = shell('fish', ['--no-config', '-c', `${script}\ncomplete -C '${line}'\n`])
    .trim()
    .split('\n')
  return offered.map(text => text.split('\t')[0]!).sort()
}

/** The function by which a real zsh completes a command. @throws MissingRealPart */
export function completerOfZsh(command: string, script: string): string {
  return shell('zsh', ['-f'], `autoload -U compinit; compinit -D -u\n${script}\nprint -r -- $_comps[${command}]`).trim()
}
