import t from 'tap'
import { parseDisk, toLibxlJson } from 'xenlight'
import { runWith } from './fake-io.js'

const disk = '/dev/vg/guest,raw,xvda,w'
const json = `disk: ${toLibxlJson(parseDisk(disk))}\n`

t.test("in xl's place it answers in xl's words", async t => {
  const usage =
    'Usage: xl [-vtTfN] block-attach <Domain> <disk-spec-component(s)>...\n\nCreate a new virtual block device.\n\n'
  const cases: [args: string[], status: number, stdout: string, stderr: string][] = [
    [['-N', 'block-attach', '0', disk], 0, json, ''],
    [['-vN', '-f', 'block-attach', '0', disk], 0, json, ''],
    [['-N', 'block-attach', 'Domain-0', 'vdev=xvda', 'target=/dev/vg/guest', 'format=raw'], 0, json, ''],
    [['-N', 'block-attach', '--', '0', disk], 0, json, ''],
    [['-N', 'block-attach', '0', '--', '-x,raw,xvda'], 0, json.replace('/dev/vg/guest', '-x'), ''],
    [
      ['-N', 'block-attach', '0', 'foo=bar'],
      1,
      '',
      "command line: config parsing error in disk specification: unknown parameter: near `foo=b' in `foo=bar'\n",
    ],
    [['-N', 'block-attach', 'nobody', disk], 1, '', 'nobody is an invalid domain identifier\n'],
    [['-N', 'block-attach', '0'], 2, usage, "'xl block-attach' requires at least 2 arguments.\n\n"],
    [['-N', 'block-attach', '0', disk, '-x'], 2, '', "option `x' not supported.\n"],
    [['-N', 'block-attach', '--he'], 0, usage, ''],
    [['-N', 'block-attach', '-h'], 0, usage, ''],
  ]
  for (const [args, status, stdout, stderr] of cases)
    t.strictSame(runWith(args), { status, stdout, stderr }, args.join(' '))
})

t.test('without -N the words are a spec', async t => {
  t.match(runWith(['block-attach', '0', disk]), { status: 1, stdout: '', stderr: /^error/ })
})
