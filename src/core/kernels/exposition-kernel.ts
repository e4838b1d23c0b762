/**
 * The exposition kernel: parses the known lines of a scraped body where it lies in linear memory.
 */
export interface ExpositionKernel {
  readonly name: 'kernel' | 'twin';
}
