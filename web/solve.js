// Solves a challenge of ALTCHA's protocol, version 1: finds the number that, behind the salt, has the given SHA-256
// (FIPS 180-4). A worker: gets {challenge, salt, maxnumber}, answers with the number, or null where there is none.
"use strict";

const primes = [];
for (let candidate = 2; primes.length < 64; candidate += 1) {
  if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
}
// The first 32 bits behind the point of a root.
const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const START = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const ROUND = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const words = new Int32Array(64);

// One block of 64 bytes, taken into the state.
function mix(state, view, at) {
  for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const x = words[i - 15];
    const y = words[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0;
    d = c; c = b; b = a; a = (one + two) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

function find({ challenge, salt, maxnumber }) {
  const before = new TextEncoder().encode(salt);
  const wanted = Int32Array.from({ length: 8 }, (_, i) => parseInt(challenge.slice(8 * i, 8 * i + 8), 16) | 0);
  const bytes = new Uint8Array(64 * Math.ceil((before.length + 16 + 9) / 64));
  const view = new DataView(bytes.buffer);
  const state = new Int32Array(8);
  bytes.set(before);
  for (let number = 0; number <= maxnumber; number += 1) {
    const digits = String(number);
    const length = before.length + digits.length;
    for (let i = 0; i < digits.length; i += 1) bytes[before.length + i] = digits.charCodeAt(i);
    const end = 64 * Math.ceil((length + 9) / 64);
    bytes[length] = 0x80;
    bytes.fill(0, length + 1, end);
    view.setUint32(end - 4, 8 * length);
    state.set(START);
    for (let at = 0; at < end; at += 64) mix(state, view, at);
    if (state.every((word, i) => word === wanted[i])) return number;
  }
  return null;
}

onmessage = (event) => postMessage(find(event.data));
