/* A dataset in a zip file on a web server, of which only the bytes that are asked for are fetched.
 *
 * Zarr 3 as glassdata writes it: uncompressed members of a zip file; arrays in shards, with an index
 * at the end of each; chunks of little-endian numbers, perhaps transposed, compressed with Blosc and
 * Zstandard, with a CRC-32C; whole multiples of `scale_factor`, where the attributes give one. What
 * is written otherwise is refused by name.
 * Specifications: zarr-specs.readthedocs.io (Zarr 3), github.com/Blosc/c-blosc (README_CHUNK_FORMAT),
 * PKWARE APPNOTE 6.3. */
(function (live) {
  "use strict";
  const AT_ONCE = 1 << 17;   // members of up to this size are fetched in one piece
  const END = 1 << 17;       // most of a zip file's end that holds its list of members
  const text = new TextDecoder();
  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  /* Fetches ranges of one file. `fetched` counts bytes and requests. */
  live.ranges = function (url) {
    const fetched = { bytes: 0, requests: 0 };

    async function get(range) {
      const abort = new AbortController();
      const answer = await fetch(url, { headers: { Range: `bytes=${range}` }, signal: abort.signal });
      if (answer.status !== 206) {
        abort.abort();   // or the whole file would come
        throw new Error(answer.ok ? "the web server sends whole files only, not parts of them" :
          `the web server answers ${answer.status} to ${url}`);
      }
      const bytes = new Uint8Array(await answer.arrayBuffer());
      fetched.bytes += bytes.length;
      fetched.requests += 1;
      return { bytes, total: Number(answer.headers.get("Content-Range").split("/")[1]) };
    }
    return { fetched, read: async (start, stop) => (await get(`${start}-${stop - 1}`)).bytes,
             end: (length) => get(`-${length}`) };
  };

  /* {name: {at, size}} of all members. */
  async function members(file) {
    const { bytes, total } = await file.end(END), data = view(bytes), found = new Map();
    let last = bytes.length - 22;
    while (last >= 0 && data.getUint32(last, true) !== 0x06054b50) last--;
    if (last < 0) throw new Error("the dataset is no zip file, or not all of it is there");
    const count = data.getUint16(last + 10, true), from = data.getUint32(last + 16, true) - (total - bytes.length);
    if (from < 0) throw new Error("the dataset has more members than this page can list");
    for (let k = 0, at = from; k < count; k++) {
      const lengths = [28, 30, 32].map((o) => data.getUint16(at + o, true));
      const name = text.decode(bytes.subarray(at + 46, at + 46 + lengths[0]));
      if (data.getUint16(at + 10, true) !== 0) throw new Error(`${name} is compressed within the zip file`);
      found.set(name, { at: data.getUint32(at + 42, true), size: data.getUint32(at + 24, true) });
      at += 46 + lengths[0] + lengths[1] + lengths[2];
    }
    return found;
  }

  /* The dataset: `names`, `attributes(group)`, and `array(path)`. */
  live.dataset = async function (file) {
    const found = await members(file), heads = new Map();
    const member = (name) => found.get(name) ?? fail(`${name} is not in the dataset`);

    /* Where the bytes of a member begin: behind a header of its own. */
    async function begin(name) {
      const { at } = member(name);
      if (!heads.has(name)) heads.set(name, file.read(at, at + 30).then((head) => at + behind(head)));
      return heads.get(name);
    }
    const behind = (head) => 30 + view(head).getUint16(26, true) + view(head).getUint16(28, true);

    async function part(name, start, stop) {
      const first = await begin(name);
      return file.read(first + start, first + stop);
    }

    async function whole(name) {
      const { at, size } = member(name), slack = 30 + name.length + 64;
      const bytes = await file.read(at, at + slack + size), from = behind(bytes);
      return from + size <= bytes.length ? bytes.subarray(from, from + size) : part(name, 0, size);
    }
    const parsed = async (name) => JSON.parse(text.decode(await whole(name)));

    return {
      names: [...found.keys()],
      attributes: async (group) => (await parsed(`${group}/zarr.json`)).attributes,
      array: async (path) => array(path, await parsed(`${path}/zarr.json`),
        { size: (name) => found.get(name)?.size, part, whole }),
    };
  };

  /* One array: shape, attributes, and `rows(start, stop)`, its values along the first dimension. */
  function array(path, about, store) {
    const { shape, attributes, codecs, chunk_grid: { configuration: { chunk_shape: shard } } } = about;
    const [sharding] = codecs;
    if (codecs.length !== 1 || sharding.name !== "sharding_indexed") fail(`${path} is not in shards`);
    const { chunk_shape: chunk, codecs: inner, index_location: place } = sharding.configuration;
    if (place !== "end") fail(`${path} has its index elsewhere than at the end`);
    for (let k = 1; k < shape.length; k++) if (chunk[k] !== shape[k]) fail(`${path} is cut along dimension ${k}`);
    const perShard = shard[0] / chunk[0], width = shape.slice(1).reduce((a, b) => a * b, 1);
    const indices = new Map(), pieces = new Map();
    const nameOf = (k) => `${path}/c/${[k, ...shape.slice(1).map(() => 0)].join("/")}`;

    async function indexed(name) {
      const length = 16 * perShard + 4, size = store.size(name) ?? fail(`${name} is not in the dataset`);
      const whole = size <= AT_ONCE ? await store.whole(name) : null;
      const bytes = whole ? whole.subarray(size - length) : await store.part(name, size - length, size);
      const numbers = view(checked(bytes));
      const at = (k) => [0, 8].map((o) => Number(numbers.getBigUint64(16 * k + o, true)));
      return { whole, at };
    }

    async function piece(k) {
      const name = nameOf(Math.floor(k / perShard));
      if (!indices.has(name)) indices.set(name, indexed(name));
      const { whole, at } = await indices.get(name), [start, size] = at(k % perShard);
      if (size > store.size(name)) fail(`${path} lacks chunk ${k}`);
      const bytes = whole ? whole.subarray(start, start + size) : await store.part(name, start, start + size);
      return unpacked(inner, bytes, about.data_type, chunk);
    }

    async function rows(start, stop) {
      const first = Math.floor(start / chunk[0]), last = Math.floor((stop - 1) / chunk[0]), wanted = [];
      for (let k = first; k <= last; k++) {
        if (!pieces.has(k)) pieces.set(k, piece(k));
        wanted.push(pieces.get(k));
      }
      const values = [];
      (await Promise.all(wanted)).forEach(function (all, j) {
        const from = (first + j) * chunk[0];
        const [a, b] = [Math.max(start - from, 0), Math.min(stop - from, chunk[0])].map((i) => i * width);
        for (let i = a; i < b; i++) values.push(all[i]);
      });
      const step = attributes.scale_factor;
      return step === undefined ? values : values.map((value) => value * step);
    }
    return { shape, attributes, rows, all: () => rows(0, shape[0]) };
  }

  const KINDS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array, float32: Float32Array,
                  float64: Float64Array, bool: Uint8Array };

  /* Values of one chunk, in the order of its indices. */
  function unpacked(codecs, bytes, kind, shape) {
    let order = null, values = bytes;
    for (const { name, configuration = {} } of [...codecs].reverse()) {
      if (name === "crc32c") values = checked(values);
      else if (name === "blosc") values = unblosced(values);
      else if (name === "zstd") values = fzstd.decompress(values);
      else if (name === "vlen-utf8") values = words(values);
      else if (name === "bytes" && KINDS[kind] && configuration.endian !== "big") values = numbers(values, KINDS[kind]);
      else if (name === "transpose") order = configuration.order;
      else fail(`the page cannot read ${kind} in ${name}`);
    }
    return order ? turned(values, order, shape) : values;
  }

  function numbers(bytes, Kind) {
    const values = new Kind(bytes.slice().buffer);
    return Kind === BigInt64Array ? Array.from(values, Number) : values;
  }

  function words(bytes) {
    const data = view(bytes), found = [];
    for (let k = 0, at = 4; k < data.getUint32(0, true); k++) {
      const length = data.getUint32(at, true);
      found.push(text.decode(bytes.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return found;
  }

  /* From stored order to the order of indices, for two dimensions. */
  function turned(values, order, [n, m]) {
    if (order.join() !== "1,0") return order.every((d, k) => d === k) ? values : fail(`transpose ${order}`);
    return values.map((_, k) => values[(k % m) * n + Math.floor(k / m)]);
  }

  /* A Blosc 1 chunk whose blocks were compressed with Zstandard, their bytes sorted by significance. */
  function unblosced(bytes) {
    const data = view(bytes), flags = bytes[2], size = bytes[3];
    const [length, block] = [4, 8].map((at) => data.getUint32(at, true));
    if (flags & 2) return bytes.subarray(16, 16 + length);
    if (flags >> 5 !== 4 || flags & 4) fail("a chunk is not compressed with Zstandard, or its bits are shuffled");
    const whole = new Uint8Array(length);
    for (let k = 0; k * block < length; k++) {
      const here = Math.min(block, length - k * block), out = new Uint8Array(here);
      // Whole blocks may be cut into one stream for each byte of a number.
      const streams = flags & 16 || here < block ? 1 : size;
      let at = data.getUint32(16 + 4 * k, true);
      for (let s = 0; s < streams; s++) {
        const packed = data.getInt32(at, true), stream = bytes.subarray(at + 4, at + 4 + packed);
        out.set(packed === here / streams ? stream : fzstd.decompress(stream), s * (here / streams));
        at += 4 + packed;
      }
      whole.set(flags & 1 && size > 1 ? unshuffled(out, size) : out, k * block);
    }
    return whole;
  }

  function unshuffled(bytes, size) {
    const count = Math.floor(bytes.length / size), out = bytes.slice();   // a rest stays as it is
    for (let k = 0; k < count; k++) for (let b = 0; b < size; b++) out[k * size + b] = bytes[b * count + k];
    return out;
  }

  const TABLE = Uint32Array.from({ length: 256 }, function (_, k) {
    for (let bit = 0; bit < 8; bit++) k = k & 1 ? (k >>> 1) ^ 0x82f63b78 : k >>> 1;
    return k;
  });

  /* The bytes before their CRC-32C, the last four. */
  function checked(bytes) {
    const rest = bytes.subarray(0, bytes.length - 4);
    let sum = 0xffffffff;
    for (const byte of rest) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
    if ((sum ^ 0xffffffff) >>> 0 !== view(bytes).getUint32(rest.length, true)) fail("a checksum of the dataset does not match");
    return rest;
  }

  function fail(message) {
    throw new Error(message);
  }
})(globalThis.glassdata ??= {});
