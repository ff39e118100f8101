/** Where the data of one command lies, in order: the common form that PRPs and SGLs are read into. A structure of arrays. */

export class ScatterList {
  count = 0;
  /** `PLACE_HOST`, `PLACE_CMB` or `PLACE_BUCKET` of `data-path.ts`. */
  places: Uint8Array = new Uint8Array(16);
  /** Address up the link, or offset in the CMB. */
  addresses: Float64Array = new Float64Array(16);
  lengths: Float64Array = new Float64Array(16);

  clear(): void {
    this.count = 0;
  }

  /** Appends a stretch; it joins the one before where both are in the same place and touch. */
  push(place: number, address: number, lengthBytes: number): void {
    const last = this.count - 1;
    if (
      last >= 0 &&
      this.places[last] === place &&
      (this.addresses[last] as number) + (this.lengths[last] as number) === address
    ) {
      this.lengths[last] = (this.lengths[last] as number) + lengthBytes;
      return;
    }
    if (this.count === this.places.length) this.#grow();
    this.places[this.count] = place;
    this.addresses[this.count] = address;
    this.lengths[this.count] = lengthBytes;
    this.count++;
  }

  #grow(): void {
    const size = this.count * 2;
    const places = new Uint8Array(size);
    const addresses = new Float64Array(size);
    const lengths = new Float64Array(size);
    places.set(this.places);
    addresses.set(this.addresses);
    lengths.set(this.lengths);
    this.places = places;
    this.addresses = addresses;
    this.lengths = lengths;
  }
}
