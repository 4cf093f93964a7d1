import t from 'tap'
import { runWith } from './fake-io.js'

const read = (text: string, ...options: string[]) =>
  runWith(['--config', 'guest.cfg', ...options], { files: { 'guest.cfg': text } })

const two = `name = "guest"
disk = [ "/dev/a,,xvda", 'vdev=hdc,devtype=cdrom,target=/b.iso' ]
`

t.test('every disk is written', async t => {
  const { status, stdout, stderr } = read(two)
  t.equal(status, 0)
  t.equal(stderr, '')
  t.equal(stdout.match(/^disk: \{$/gm)?.length, 2)
  t.equal(read(two, '-ospec').stdout.split('\n').length, 3)
})

t.test("a file on standard input is called '-'", async t => {
  const { status, stdout } = runWith(['--config', '-'], { input: [two.slice(0, 30), two.slice(30)] })
  t.match({ status, stdout }, { status: 0, stdout: /\/b\.iso/ })
  t.match(runWith(['--config=-'], { input: ['disk = [ "x" ]'] }).stderr, /--> -:1:12/)
})

t.test('errors of all disks point into the file, and nothing is written', async t => {
  const { status, stdout, stderr } = read(`disk = [ "/dev/a,,xvda",\n  "/dev/b,QCOW2,xvdb",\n  "/dev/c,,xvdc,foo" ]\n`)
  t.match({ status, stdout }, { status: 1, stdout: '' })
  t.match(stderr, /error\[unknown-value\].*\n *--> guest\.cfg:2:11\n/)
  t.match(stderr, /error\[unknown-value\].*\n *--> guest\.cfg:3:17\n/)
  const lines = read('disk = [ "/dev/a,,xvda",\n  "/dev/b,QCOW2,xvdb" ]\n', '--diagnostics=json')
    .stderr.trimEnd()
    .split('\n')
  t.match(
    lines.map(line => JSON.parse(line)),
    [{ filename: 'guest.cfg', line: 2, column: 11, code: 'unknown-value' }],
  )
})

t.test("a syntax error is the file's", async t => {
  t.match(read('disk = [ "a\n'), { status: 1, stdout: '', stderr: /^error\[config-.*\n *--> guest\.cfg:1:10\n/ })
})

t.test('what is not a text', async t => {
  t.strictSame(read('a = "\0"'), {
    status: 1,
    stdout: '',
    stderr: 'xl-disk-parse: guest.cfg: this is no text: it holds a NUL byte\n',
  })
  t.match(runWith(['--config', 'none']), { status: 1, stderr: 'xl-disk-parse: none: No such file or directory\n' })
  t.match(read('#'.repeat(17 << 20)), { status: 1, stderr: /larger than 16 MiB/ })
})

t.test("the file's own settings say what the guest is, as xl reads them", async t => {
  const disk = 'disk = [ "/dev/a,,hda" ]\n'
  const settings: [text: string, stdout: RegExp][] = [
    ['', /protocol = "x86_64-abi"/],
    ['type = "pv"', /protocol/],
    ['type = "pvh"', /^(?!.*protocol)/s],
    ['type = "h"', /^(?!.*protocol)/s],
    ['builder = "hvm"', /^(?!.*protocol)/s],
    ['builder = "generic"', /protocol/],
    ['builder = "gen"\ntype = "pv"', /protocol/],
  ]
  for (const [text, stdout] of settings)
    t.match(read(`${text}\n${disk}`, '--offline', '-oxenstore'), { status: 0, stdout, stderr: '' }, text)

  const argv = (text: string, ...options: string[]) => read(`${text}\n${disk}`, '--offline', '-oargv', ...options)
  t.match(argv('type="hvm"\nhdtype="AHCI"').stdout, /ahci,id=ahci0/)
  t.match(argv('type="hvm"\ndevice_model_stubdomain_override=1').stdout, /file=\/dev\/xvda,/)
  t.match(argv('type="pv"\nhdtype="scsi"'), { status: 0, stdout: '' }, 'xl reads hdtype of HVM guests only')
  t.match(argv('type="pv"', '--domain-type', 'hvm').stdout, /if=ide/, 'an option wins')
  t.match(argv('type="hvm"\nhdtype="ahci"', '--hdtype=ide').stdout, /if=ide/)
})

t.test('settings that xl refuses', async t => {
  const disk = 'disk = [ "/dev/a,,hda" ]\n'
  const wrong: [text: string, message: RegExp][] = [
    ['type = "xen"', /^error\[config-guest\]: Invalid domain type xen\.\n *--> guest\.cfg:1:8\n/],
    ['builder = "linux"', /Invalid domain type linux/],
    ['builder = "hvm"\ntype = "pv"', /Contradicting "builder" and "type"/],
    ['type = "hvm"\nhdtype = "scsi"', /invalid value "scsi" for "hdtype"/],
  ]
  for (const [text, stderr] of wrong)
    t.match(read(`${text}\n${disk}`, '--offline', '-oxenstore'), { status: 1, stdout: '', stderr }, text)
  t.match(read(`type = [ "hvm" ]\n${disk}`, '--offline', '-oxenstore'), {
    status: 0,
    stdout: /protocol/,
    stderr: /^warning\[config-value\]: parameter `type' is a list but should be a single value/,
  })
  t.match(read(`type = "xen"\n${disk}`), { status: 0, stderr: '' }, 'they do not matter to the records')
})

t.test('--strict makes an error of every warning', async t => {
  const disk = 'disk = [ "/dev/a,,xvda" ]\n'
  const warnings: [code: string, text: string, ...options: string[]][] = [
    ['config-disk-no-list', 'disk = "/dev/a,,xvda"\n'],
    ['config-disk-nested', 'disk = [ [ "/dev/a,,xvda" ] ]\n'],
    ['config-value', `type = [ "hvm" ]\n${disk}`, '--offline', '-oxenstore'],
    ['not-emulated', disk, '--offline', '-oargv'],
    ['duplicate-vdev', 'disk = [ "/dev/a,,xvda", "/dev/b,,xvda" ]\n'],
  ]
  for (const [code, text, ...options] of warnings) {
    t.match(read(text, ...options), { status: 0, stderr: `warning[${code}]` }, code)
    const { status, stdout, stderr } = read(text, ...options, '--strict')
    t.match({ status, stdout, stderr }, { status: 1, stdout: '', stderr: `error[${code}]` }, code)
    t.notMatch(stderr, /^warning/m, code)
  }
})

t.test('two disks of one device are refused where they are attached, as by libxl', async t => {
  const text = 'disk = [ "/dev/a,,xvda", "/dev/b,,51712" ]\n'
  for (const form of ['xenstore', 'argv', 'blockdev', 'graph'])
    t.match(read(text, '--offline', `-o${form}`, '--domain-type=hvm'), {
      status: 1,
      stdout: '',
      stderr: /error\[ERROR_DEVICE_EXISTS\]: device already exists in xenstore: 51712 is xvda\n *--> guest\.cfg:1:26\n/,
    })
  t.match(read(text), { status: 0, stderr: /^warning\[duplicate-devid\]/ })
})

t.test("what is wrong with one of a guest's disks is told where it stands", async t => {
  const file = (...specs: string[]) => `type = "hvm"\ndisk = [\n${specs.map(spec => `"${spec}",\n`).join('')}]\n`
  const colo = 'colo,colo-host=h,colo-port=9,colo-export=e,active-disk=/a,hidden-disk=/h'
  const cases: [specs: string[], stderr: RegExp][] = [
    [
      ['vdev=hdb1,target=/a', 'vdev=hda,access=r,target=/b'],
      /^error\[ERROR_INVAL\]: qemu-xen doesn't support read-only IDE disk drivers\n --> guest\.cfg:4:1\n(.*\n)*hint: .*sda/m,
    ],
    [
      ['vdev=xvdz,target=/z', 'vdev=hda,access=r,target=/b'],
      /^warning\[not-emulated\]: Only 4 emulated IDE disks .*\n --> guest\.cfg:3:1\n(.*\n)*error/m,
    ],
    [
      ['vdev=hda,target=/a', `${colo},vdev=xvde,target=/b`],
      /^error\[ERROR_INVAL\]: disk xvde: .*\n --> guest\.cfg:4:1\n/m,
    ],
    [
      ['vdev=hda,target=/a', `${colo},devtype=cdrom,vdev=hdc,target=/b`],
      /^error\[ERROR_INVAL\]: disk hdc: .*\n --> guest\.cfg:4:1\n/m,
    ],
  ]
  for (const [specs, stderr] of cases)
    for (const form of ['argv', 'blockdev', 'graph'])
      t.match(read(file(...specs), '--offline', `-o${form}`), { status: 1, stdout: '', stderr }, `${form} ${specs}`)
  const numbered = file('vdev=4,target=/four.img', 'vdev=xvdf,target=/f.img')
  t.match(read(numbered, '--offline', '-oargv').stderr, /Only 4 emulated IDE disks .*\n --> guest\.cfg:4:1\n/)
  const both = file('vdev=hda,target=/a', 'vdev=xvda,target=/b')
  const message = /disk xvda: hda is already in place 0 of IDE\n --> guest\.cfg:4:1\n/
  t.match(read(both, '--offline', '-oargv'), { status: 0, stdout: /^-drive/, stderr: message })
  t.match(read(both, '--offline', '-oblockdev'), { status: 1, stdout: '', stderr: message })
})

t.test('of very many diagnostics the first ones are told, and how many more there are', async t => {
  const text = 'A\n'.repeat(20_000)
  const lines = read(text, '--diagnostics=json').stderr.trimEnd().split('\n')
  t.equal(lines.length, 10_001)
  t.strictSame(JSON.parse(lines.at(-1)!), { more: 10_000 })
  t.match(read(text).stderr, /\n… and 19900 more\n$/)
})
