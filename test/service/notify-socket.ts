import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Test } from 'tap'
import { eventually } from '../protocol-d/eventually.js'
import { MissingRealPart } from '../support/real-part.js'

/** Datagrams of a unix socket, as the service manager takes them. */
export interface NotifySocket {
  /** As NOTIFY_SOCKET has it. */
  name: string
  /** Each message, as its assignments. */
  messages: string[][]
  /** Waits until all of these assignments have come, each exactly, or as the expression says. */
  until(...assignments: (string | RegExp)[]): Promise<void>
}

// a file descriptor that comes with a message is closed by the kernel, as recv takes none: that is what the sender waits for
const program = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!; my $name = $ARGV[0]; $name =~ s/^@/\\0/;
bind($s, pack_sockaddr_un($name)) or die $!; $| = 1; print "listens\\n";
while (defined recv($s, my $message, 65536, 0)) { print unpack("H*", $message), "\\n" }`

/** @param name a path, or an abstract name that begins with @ @throws MissingRealPart where systemd-notify is missing */
export async function notifySocket(t: Test, name: string): Promise<NotifySocket> {
  if (!existsSync('/usr/bin/systemd-notify')) throw new MissingRealPart('systemd-notify', 'systemd')
  const child = spawn('perl', ['-e', program, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const messages: string[][] = []
  let text = ''
  let isListening = false
  child.stdout!.setEncoding('latin1').on('data', chunk => {
    text += chunk
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      const message = Buffer.from(line, 'hex').toString()
      if (line === 'listens') isListening = true
      else if (message !== 'BARRIER=1') messages.push(message.split('\n'))
    }
  })
  await eventually('the socket is there', () => isListening)
  const has = (assignment: string | RegExp) =>
    messages.flat().some(one => (typeof assignment === 'string' ? one === assignment : assignment.test(one)))
  return {
    name,
    messages,
    until: (...assignments) =>
      eventually(
        assignments.join(' and '),
        () => assignments.every(has),
        () => JSON.stringify(messages),
      ),
  }
}
