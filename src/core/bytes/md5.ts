/**
 * MD5, for `hashmod` relabelling alone: targets must fall into the shards where Prometheus puts them. Not for security.
 *
 * Source: RFC 1321.
 */

const BLOCK_BYTES = 64;
/** Rotations of the four rounds, each used in turn. */
const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
/** RFC 1321 §3.4: the integer part of 2^32 × |sin(i + 1)|. */
const SINES = Uint32Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))));

/** @returns the digest, 16 bytes */
export function md5(bytes: Uint8Array): Uint8Array {
  const padded = pad(bytes);
  const words = new DataView(padded.buffer);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const block = new Uint32Array(BLOCK_BYTES / 4);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    for (let i = 0; i < block.length; i++) block[i] = words.getUint32(at + i * 4, true);
    mix(state, block);
  }
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  for (const [i, word] of state.entries()) out.setUint32(i * 4, word, true);
  return digest;
}

/** The message, a 1 bit, zeros, and the length in bits, to a multiple of the block. */
function pad(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const end = new DataView(padded.buffer, padded.length - 8);
  end.setUint32(0, (bytes.length * 8) >>> 0, true);
  end.setUint32(4, Math.floor(bytes.length / 2 ** 29), true);
  return padded;
}

function mix(state: Uint32Array, block: Uint32Array): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    // The round's function of three words, and which word of the block it takes.
    let picked: number;
    let word: number;
    if (round === 0) [picked, word] = [(b & c) | (~b & d), i];
    else if (round === 1) [picked, word] = [(d & b) | (~d & c), (5 * i + 1) & 15];
    else if (round === 2) [picked, word] = [b ^ c ^ d, (3 * i + 5) & 15];
    else [picked, word] = [c ^ (b | ~d), (7 * i) & 15];
    const sum = (a + picked + block[word]! + SINES[i]!) | 0;
    const shift = SHIFTS[round]![i & 3]!;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}
