/** A specs' shape for each kind of work that the parser has; the digits make 64 different specs of each, but of the empty drive. */
const shapes = {
  short: (n: string) => `/dev/vg/guest-volu${n},raw,hda,rw`,
  'positional with prefix': (n: string) => `raw:/dev/vg/guest-volu${n},hda,w`,
  'blank-separated': (n: string) => `format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volu${n}`,
  'iscsi:': (n: string) =>
    `iscsi:iqn.2001-05.com.equallogic:0-8a0906-23fe93404-c82797962054a96d-examplehost${n},xvda,w`,
  'empty drive': () => ',,hdc:cdrom,r',
  COLO: (n: string) =>
    [
      `format=raw,vdev=hda,access=rw,backendtype=qdisk,colo,colo-host=192.168.100.1${n},colo-port=9000`,
      `colo-export=qdisk${n},active-disk=/mnt/ramfs/colo/active_disk${n}.img,hidden-disk=/mnt/ramfs/colo/hidden_disk${n}.img`,
      `target=/srv/xen/images/guest-volume-${n}.img`,
    ].join(','),
}

export type Shape = keyof typeof shapes

export const shapeNames = Object.keys(shapes) as Shape[]

/** Taken in turn, so that no side can remember its last answer; bytes, as both sides get them from outside. */
export const specsOf = (shape: Shape): Buffer[] =>
  Array.from({ length: 64 }, (_, index) => Buffer.from(shapes[shape](String(10 + index))))
