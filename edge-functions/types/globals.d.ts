// Globals of runtime 2.0 beside those of ECMAScript (cloudfront-functions.md sections 10.3 to 10.5).

interface Console {
  /** The only method. A line has at most what is left of 10 KB. */
  log(...values: any[]): void;
}
declare const console: Console;

declare function atob(text: string): string;
declare function btoa(text: string): string;

/** The built-in modules, but for `cloudfront`, which is imported. */
declare function require(name: 'crypto'): typeof import('crypto').default;
declare function require(name: 'querystring'): typeof import('querystring').default;
declare function require(name: 'buffer'): typeof import('buffer').default;

declare class TextEncoder {
  encode(text?: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(encoding?: 'utf-8' | 'utf8', options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

type BufferEncoding = 'utf8' | 'utf-8' | 'hex' | 'base64' | 'base64url';

interface BufferConstructor {
  alloc(size: number, fill?: string | number | Uint8Array, encoding?: BufferEncoding): Buffer;
  allocUnsafe(size: number): Buffer;
  byteLength(value: string | ArrayBuffer | ArrayBufferView, encoding?: BufferEncoding): number;
  compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1;
  concat(list: Uint8Array[], length?: number): Buffer;
  from(bytes: number[] | Uint8Array): Buffer;
  from(bytes: ArrayBuffer, offset?: number, length?: number): Buffer;
  from(text: string, encoding?: BufferEncoding): Buffer;
  isBuffer(value: any): value is Buffer;
  isEncoding(encoding: string): boolean;
}
declare const Buffer: BufferConstructor;

interface Buffer extends Uint8Array {
  compare(other: Uint8Array, from?: number, to?: number, ownFrom?: number, ownTo?: number): -1 | 0 | 1;
  copy(target: Uint8Array, at?: number, from?: number, to?: number): number;
  equals(other: Uint8Array): boolean;
  fill(value: string | number | Uint8Array, from?: number, to?: number, encoding?: BufferEncoding): this;
  includes(value: string | number | Uint8Array, from?: number, encoding?: BufferEncoding): boolean;
  indexOf(value: string | number | Uint8Array, from?: number, encoding?: BufferEncoding): number;
  lastIndexOf(value: string | number | Uint8Array, from?: number, encoding?: BufferEncoding): number;
  subarray(from?: number, to?: number): Buffer;
  swap16(): this;
  swap32(): this;
  swap64(): this;
  toJSON(): { type: 'Buffer'; data: number[] };
  toString(encoding?: BufferEncoding, from?: number, to?: number): string;
  write(text: string, at?: number, length?: number, encoding?: BufferEncoding): number;
  readInt8(at?: number): number;
  readUInt8(at?: number): number;
  readInt16BE(at?: number): number;
  readInt16LE(at?: number): number;
  readUInt16BE(at?: number): number;
  readUInt16LE(at?: number): number;
  readInt32BE(at?: number): number;
  readInt32LE(at?: number): number;
  readUInt32BE(at?: number): number;
  readUInt32LE(at?: number): number;
  readIntBE(at: number, length: number): number;
  readIntLE(at: number, length: number): number;
  readUIntBE(at: number, length: number): number;
  readUIntLE(at: number, length: number): number;
  readFloatBE(at?: number): number;
  readFloatLE(at?: number): number;
  readDoubleBE(at?: number): number;
  readDoubleLE(at?: number): number;
  writeInt8(value: number, at?: number): number;
  writeUInt8(value: number, at?: number): number;
  writeInt16BE(value: number, at?: number): number;
  writeInt16LE(value: number, at?: number): number;
  writeUInt16BE(value: number, at?: number): number;
  writeUInt16LE(value: number, at?: number): number;
  writeInt32BE(value: number, at?: number): number;
  writeInt32LE(value: number, at?: number): number;
  writeUInt32BE(value: number, at?: number): number;
  writeUInt32LE(value: number, at?: number): number;
  writeIntBE(value: number, at: number, length: number): number;
  writeIntLE(value: number, at: number, length: number): number;
  writeUIntBE(value: number, at: number, length: number): number;
  writeUIntLE(value: number, at: number, length: number): number;
  writeFloatBE(value: number, at?: number): number;
  writeFloatLE(value: number, at?: number): number;
  writeDoubleBE(value: number, at?: number): number;
  writeDoubleLE(value: number, at?: number): number;
}
