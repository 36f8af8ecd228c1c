/**
 * Zip archives of pictures, which are compressed already and therefore stored as they are (APPNOTE 6.3.10, method 0).
 * @module zip
 */
const UTF8_NAMES = 0x0800;
const MAX_BYTES = 0xffffffff; // of an archive without ZIP64

const CRC_TABLE = Uint32Array.from({length: 256}, (_, n) => {
  for (let k = 0; k < 8; k += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Write fields of 2 and 4 bytes, little endian. @param {[number, number][]} fields value and size */
function pack(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

/** @param {Date} date @returns {[number, number]} time and date as MS-DOS counts them */
const dosTime = (date) => [
  (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1),
  ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(),
];

/** Let no two files have one name: photo.png, photo_2.png. @param {string[]} names */
export function uniqueNames(names) {
  const taken = new Set();
  return names.map((name) => {
    const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length;
    let unique = name;
    for (let n = 2; taken.has(unique.toLowerCase()); n += 1) unique = `${name.slice(0, dot)}_${n}${name.slice(dot)}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/**
 * Pack files into an archive.
 * @param {{name: string, blob: Blob, folder?: string}[]} files
 * @returns {Promise<Blob>}
 */
export async function zip(files) {
  const [time, date] = dosTime(new Date());
  const safe = (text) => text.replaceAll(/[\\/]/g, "_");
  const names = uniqueNames(files.map(({name, folder}) => (folder ? `${safe(folder)}/` : "") + safe(name)));
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const [i, {blob}] of files.entries()) {
    const name = new TextEncoder().encode(names[i]);
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const common = [
      [20, 2],
      [UTF8_NAMES, 2],
      [0, 2],
      [time, 2],
      [date, 2],
      [crc, 4],
      [blob.size, 4],
      [blob.size, 4],
      [name.length, 2],
      [0, 2],
    ];
    const header = pack([[0x04034b50, 4], ...common]);
    directory.push(pack([[0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), name);
    parts.push(header, name, blob);
    offset += header.length + name.length + blob.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  if (offset + size > MAX_BYTES) throw new Error("These files are too many for one zip; download them one by one.");
  const end = pack([
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [files.length, 2],
    [files.length, 2],
    [size, 4],
    [offset, 4],
    [0, 2],
  ]);
  return new Blob([...parts, ...directory, end], {type: "application/zip"});
}
