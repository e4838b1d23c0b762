/** A second implementation of snappy, for tests. */
declare module 'snappyjs' {
  const snappyjs: {
    compress(input: Uint8Array): Uint8Array;
    uncompress(block: Uint8Array): Uint8Array;
  };
  export default snappyjs;
}
