/* Any structure of the dataset that ships: its atoms, g(r), PDOS, and what a line makes of that g(r)
 * that was fitted, here in the page, to all other families of the glass. */
(function (live) {
  "use strict";
  const ALIKE = 3;   // structures of similar g(r) that are offered

  async function build(element, data) {
    const file = live.ranges(new URL(data.file, location.href));
    const state = { shown: null, ready: null, file };
    const status = live.html("p", { className: "live-readout", textContent: "Looking for the dataset …" }, element);
    status.setAttribute("role", "status");

    async function start() {
      if (location.protocol === "file:") throw new Error("a page that was opened as a file may not read other files");
      const store = await live.dataset(file);
      const found = store.names.map((name) => name.match(/^([^/]+)\/position\/zarr.json$/)?.[1]).filter(Boolean);
      const glasses = new Map(await Promise.all(found.map(async (n) => [n, await store.attributes(n)])));
      await parts(element, status, store, glasses, data, state);
    }
    state.ready = start().catch(function (error) {
      status.textContent = `This figure needs a web server that sends parts of files: ${error.message}. ` +
        "The picture shows three of the structures.";
      const picture = live.html("div", { innerHTML: element.querySelector("noscript").textContent }, element);
      picture.className = "live-picture";
    });
    return state;
  }

  async function parts(element, status, store, glasses, data, state) {
    const controls = live.html("div", { className: "live-controls" }), first = live.html("div", {}, controls);
    element.insertBefore(controls, status);
    const glassChoice = live.choice(first, "Glass", [...glasses].map(([name, { title }]) => [name, title]), choose);
    const slider = live.slider(first, "structure", { min: 0, max: 1, step: 1, value: 0,
      show: (k) => `${k + 1} of ${state.glass?.order.length ?? ""}`, onInput: () => open(state.glass.order[slider.value]) });
    live.choice(first, "Colours", [["element", "elements"], ["neighbours", "neighbours"]], function (by) {
      atoms.colour = by;
      key(atoms.state.structure.numbers, atoms.state.structure.usual, by);
    });
    const columns = live.html("div", { className: "live-columns" });
    element.insertBefore(columns, status);
    const left = live.html("div", {}, columns), right = live.html("div", {}, columns);
    const atoms = live.atoms(left), key = live.atomKey(left);
    const alike = live.html("div", { className: "live-alike" }, right);
    let charts = null;

    async function choose(name) {
      const glass = await load(store, name, glasses.get(name), data.l2[name]);
      if (glassChoice.value !== name) return;   // the reader was quicker than the network
      state.glass = glass;
      slider.limit(glass.order.length - 1);
      charts?.remove();
      charts = live.spectra(right, glass, alike);
      await open(glass.order[slider.value]);
    }

    async function open(k) {
      const { glass } = state;
      state.wanted = k;
      const structure = await glass.structure(k);
      if (state.wanted !== k || state.glass !== glass) return;
      const guess = live.guess(glass, k);
      state.shown = { glass: glass.name, index: k, structure, guess, X: glass.X[k], shares: glass.shares[k] };
      const words = `${glass.title}, structure ${k}: ${structure.numbers.length} atoms, ${glass.classes[k]}`;
      atoms.show(structure, words);
      key(structure.numbers, structure.usual, atoms.state.colour);
      charts.show(glass.X[k], glass.shares[k], guess);
      const { bytes, requests } = state.file.fetched;
      status.textContent = `${words}; family ${glass.groups[k]}; R² of the line ${charts.score(glass, k, guess).toFixed(2)}. ` +
        `Fetched so far: ${(bytes / 1e6).toFixed(2)} MB in ${requests} requests.`;
      alike.replaceChildren("Most similar g(r), of other families: ");
      for (const other of live.alike(glass, k, ALIKE)) {
        live.button(alike, `structure ${other}`, function () {
          slider.value = glass.order.indexOf(other);
          open(other);
        });
      }
    }
    await choose(glassChoice.start(data.glass));
  }

  /* Everything of a glass but its atoms, and a way to read these. */
  async function load(store, name, about, l2) {
    const configuration = JSON.parse(about.configuration);
    // Datasets of layout 1 do not set the description apart.
    const { classes: [measure], bond_length } = configuration.description ?? configuration;
    const array = (variable) => store.array(`${name}/${variable}`);
    const all = async (variable) => (await array(variable)).all();
    const names = ["n_atoms", "g", "pdos", "parent", "disorder_class", measure, "r_edges", "omega_edges"];
    const [counts, g, pdos, groups, classes, disorder, r_edges, omega_edges] = await Promise.all(names.map(all));
    const rows = (values, width) => Array.from(counts, (_, k) => Float64Array.from(values.slice(k * width, (k + 1) * width)));
    // Rows that failed have no atoms.
    const finished = [...counts.keys()].filter((k) => counts[k] > 0);
    const starts = [0];
    for (const count of counts) starts.push(starts.at(-1) + count);

    async function structure(k) {
      const read = async (variable, a, b) => (await array(variable)).rows(a, b);
      const [positions, numbers, cell] = await Promise.all([
        read("position", starts[k], starts[k + 1]), read("number", starts[k], starts[k + 1]), read("cell", k, k + 1)]);
      return live.structure({ positions, numbers, cell, flat: about.dimension === 2 }, bond_length);
    }
    return { name, title: about.title, l2, groups, classes, structure, r_edges, omega_edges,
      X: rows(g, r_edges.length - 1), shares: rows(pdos, omega_edges.length - 1).map(live.normalised), finished,
      order: [...finished].sort((a, b) => disorder[a] - disorder[b]) };
  }

  /* Shares of the bins, with sum 1. */
  live.normalised = function (values) {
    const sum = values.reduce((a, b) => a + b, 0);
    return values.map((value) => value / sum);
  };

  /* What a ridge says of structure k that was fitted to all structures of other families. */
  live.guess = function (glass, k) {
    const train = glass.finished.filter((j) => glass.groups[j] !== glass.groups[k]);
    const columns = glass.X[k].length, bins = glass.shares[k].length;
    const mean = (rows, width) => Float64Array.from({ length: width }, (_, i) => train.reduce((sum, j) => sum + rows[j][i], 0) / train.length);
    const xMean = mean(glass.X, columns), yMean = mean(glass.shares, bins);
    const square = new Float64Array(columns * columns), answer = Array.from(yMean);
    const X = train.map((j) => glass.X[j].map((x, i) => x - xMean[i]));
    for (const x of X) for (let i = 0; i < columns; i++) for (let j = 0; j <= i; j++) square[i * columns + j] += x[i] * x[j];
    for (let i = 0; i < columns; i++) square[i * columns + i] += train.length * glass.l2;
    // The line is linear in the spectra it was fitted to: one weight for each.
    const direction = live.cholesky(square, glass.X[k].map((x, i) => x - xMean[i]));
    train.forEach(function (j, row) {
      const weight = X[row].reduce((sum, x, i) => sum + x * direction[i], 0);
      for (let b = 0; b < bins; b++) answer[b] += weight * (glass.shares[j][b] - yMean[b]);
    });
    return answer;
  };

  /* Solution of A x = b for a symmetric positive A, of which the lower half is given; it is spoilt. */
  live.cholesky = function (A, b) {
    const n = b.length, x = Float64Array.from(b);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = A[i * n + j];
        for (let k = 0; k < j; k++) sum -= A[i * n + k] * A[j * n + k];
        A[i * n + j] = i === j ? Math.sqrt(sum) : sum / A[j * n + j];
      }
      for (let k = 0; k < i; k++) x[i] -= A[i * n + k] * x[k];
      x[i] /= A[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i] -= A[k * n + i] * x[k];
      x[i] /= A[i * n + i];
    }
    return x;
  };

  const distance = (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);

  /* Structures of other families whose g(r) is nearest to that of k. */
  live.alike = function (glass, k, count) {
    return glass.finished.filter((j) => glass.groups[j] !== glass.groups[k])
      .map((j) => [distance(glass.X[k], glass.X[j]), j]).sort((a, b) => a[0] - b[0]).slice(0, count).map(([, j]) => j);
  };

  live.start("explorer", build);
})(globalThis.glassdata ??= {});
