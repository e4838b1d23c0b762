/** The part of bcryptjs that is used. */
declare module 'bcryptjs' {
  /** @param hash `$2a$`, `$2b$` or `$2y$`, cost, salt and digest */
  export function compareSync(password: string, hash: string): boolean;
}
