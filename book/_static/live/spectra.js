/* g(r) above, the PDOS and what the line says of it below: two charts that belong together. */
(function (live) {
  "use strict";

  live.spectra = function (parent, { r_edges, omega_edges }, before = null) {
    const place = live.html("div", {});
    parent.insertBefore(place, before);
    const g = live.chart(place, { title: "g(r)", x: [0, r_edges.at(-1)], xlabel: "distance r (Å)" });
    const pdos = live.chart(place, { title: "PDOS (1/THz)", x: [0, omega_edges.at(-1)], xlabel: "frequency (THz)" });
    live.key(place, [["truth", "computed from the atoms"], ["guess", "the line, from g(r), without this family"]]);
    const middles = Array.from(omega_edges.slice(1), (edge, k) => (edge + omega_edges[k]) / 2);
    const density = (shares) => Array.from(shares, (share, k) => share / (omega_edges[k + 1] - omega_edges[k]));

    function show(values, shares, guess) {
      const truth = density(shares), line = density(guess);
      g.range(0, Math.max(...values));
      g.stairs("truth", r_edges, values);
      pdos.range(Math.min(0, ...line), Math.max(...truth, ...line));
      pdos.stairs("truth", omega_edges, truth);
      pdos.curve("guess", middles, line);
    }

    /* R² of one structure: how much nearer the line is to its spectrum than the mean of the others. */
    function score(glass, k, guess) {
      const rest = glass.finished.filter((j) => glass.groups[j] !== glass.groups[k]);
      let error = 0, spread = 0;
      glass.shares[k].forEach(function (truth, i) {
        const mean = rest.reduce((sum, j) => sum + glass.shares[j][i], 0) / rest.length;
        error += (truth - guess[i]) ** 2;
        spread += (truth - mean) ** 2;
      });
      return 1 - error / spread;
    }
    return { show, score, remove: () => place.remove() };
  };
})(globalThis.glassdata ??= {});
