/**
 * The reader's side of a record's sequence lock, for what is read without a kernel: load the version, read if it is even, and take what
 * was read if `isUnchanged` then says so.
 */
const fence = new Int32Array(1);

/** Whether everything read since the version was loaded is of one moment. @param at index of the version word */
export function isUnchanged(i32: Int32Array, at: number, version: number): boolean {
  // Reads must not move behind the second look.
  Atomics.add(fence, 0, 0);
  return Atomics.load(i32, at) === version;
}
