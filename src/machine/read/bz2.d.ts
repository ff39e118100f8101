declare module 'bz2' {
  const bz2: { decompress(bytes: Uint8Array, checkCrc?: boolean): Uint8Array };
  // biome-ignore lint/style/noDefaultExport: the shape of a CommonJS module
  export default bz2;
}
