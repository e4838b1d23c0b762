/**
 * Paths in a configuration: relative ones start from the folder of the file that names them.
 */
import { isAbsolute, join } from 'node:path';
import { STRING, type Type } from '../../core/model/yaml/schema.ts';

export const PATH: Type<string> = {
  ...STRING,
  decode(node, reader) {
    const path = STRING.decode(node, reader);
    return path === '' || isAbsolute(path) ? path : join(reader.options.dir, path);
  },
};
