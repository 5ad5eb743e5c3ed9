/* The line of one glass, fitted again in the page whenever the reader moves the penalty, and asked
 * about a g(r) that the reader may bend. */
(function (live) {
  "use strict";

  function build(element, data) {
    const fit = { n: data.n };
    for (const name of ["singular", "right", "scores", "x_mean", "y_mean"]) fit[name] = live.decode(data[name]);
    const X = live.decode(data.X), Y = live.decode(data.Y), { r_edges, omega_edges } = data;
    const rowOf = ({ shape, values }, k) => Float64Array.from(values.slice(k * shape[1], (k + 1) * shape[1]));
    const widths = omega_edges.slice(1).map((edge, k) => edge - omega_edges[k]);
    const centres = (edges) => edges.slice(1).map((edge, k) => (edge + edges[k]) / 2);
    const r = centres(r_edges), omega = centres(omega_edges);
    const density = (shares) => Array.from(shares, (share, k) => share / widths[k]);
    const state = { l2: data.l2, glass: 0, bin: data.bin };

    const view = live.html("div", { className: "live-columns" }, element);
    const left = live.html("div", {}, view), right = live.html("div", {}, view);
    const gChart = live.chart(left, { title: "g(r), which you can bend", x: [0, r_edges.at(-1)], xlabel: "distance r (Å)" });
    const wChart = live.chart(left, { title: "Weights of the chosen distance", x: [0, omega_edges.at(-1)],
      xlabel: "frequency (THz)" });
    const dChart = live.chart(right, { title: "PDOS (1/THz)", x: [0, omega_edges.at(-1)], xlabel: "frequency (THz)" });
    const scan = scores(fit, X, Y, data);
    const rChart = live.chart(right, { title: "R²", x: [scan.powers[0], scan.powers.at(-1)],
      xlabel: "penalty l2", logarithmic: true });
    live.key(left, [["truth", "as it is"], ["guess", "bent; weights"]]);
    live.key(right, [["truth", "true PDOS; R² of the fitted structures"], ["guess", "the line; R² of held-out structures"],
      ["mean", "mean of the fitted structures"]]);
    const controls = live.html("div", { className: "live-controls" }, element);
    const readout = live.html("p", { className: "live-readout" }, element);
    readout.setAttribute("role", "status");

    const first = live.html("div", {}, controls);
    const penalty = live.slider(first, "penalty", { min: scan.powers[0], max: scan.powers.at(-1), step: 0.05,
      value: Math.log10(data.l2), show: (x) => `l2 = ${(10 ** x).toExponential(1)}`,
      onInput: (x) => { state.l2 = 10 ** x; refit(); } });
    live.button(first, "Best penalty", () => { state.l2 = data.l2; penalty.value = Math.log10(data.l2); refit(); });
    const second = live.html("div", {}, controls);
    live.slider(second, "held-out structure", { min: 1, max: X.shape[0], step: 1, value: 1,
      show: (k) => `${k} of ${X.shape[0]}`, onInput: (k) => take(k - 1) });
    live.button(second, "Undo bending", () => take(state.glass));

    function take(k) {
      state.glass = k;
      state.own = rowOf(X, k);
      state.truth = rowOf(Y, k);
      state.g = state.own.slice();
      show();
    }

    function refit() {
      Object.assign(state, live.ridge(fit, state.l2));
      show();
    }

    function show() {
      if (!state.W) Object.assign(state, live.ridge(fit, state.l2));
      state.D = live.predict(state.W, state.b, state.g);
      const truth = density(state.truth), guess = density(state.D);
      gChart.range(0, Math.max(4, ...state.own, ...state.g));
      gChart.stairs("truth", r_edges, state.own);
      gChart.curve("guess", r, state.g);
      gChart.rule("rule", r[state.bin]);
      const top = Math.max(...truth);
      const low = Math.min(...guess);   // a little below zero needs no axis of its own
      dChart.range(low < -top / 10 ? Math.max(-top, low) : 0, Math.min(2 * top, Math.max(top, ...guess)));
      dChart.stairs("truth", omega_edges, truth);
      dChart.curve("mean", omega, density(fit.y_mean.values));
      dChart.curve("guess", omega, guess);
      const column = density(omega.map((_, i) => state.W.values[i * r.length + state.bin]));
      const most = Math.max(...column.map(Math.abs), 1e-12);
      wChart.range(-most, most);
      wChart.curve("guess", omega, column);
      showScores();
      tell();
    }

    function showScores() {
      rChart.range(Math.min(0, Math.max(-1, ...scan.held)), 1);
      rChart.curve("truth-line", scan.powers, scan.fitted);
      rChart.curve("guess", scan.powers, scan.held);
      rChart.rule("rule", Math.log10(state.l2));
    }

    function tell() {
      const { fitted, held } = scan.at(state.l2);
      const own = state.own.every((value, k) => value === state.g[k]);
      const below = -state.D.reduce((sum, share) => sum + Math.min(0, share), 0);
      state.r2 = { fitted, held };
      readout.textContent =
        `R² ${fitted.toFixed(3)} on the ${data.n} structures it is fitted to, ${held.toFixed(3)} on ${X.shape[0]} held-out ones. ` +
        (own ? `Of the modes of this one, ${(100 * live.misplaced(state.truth, state.D)).toFixed(1)} % are put in the wrong place.`
          : `This g(r) belongs to no structure; the line answers all the same, with ${(100 * below).toFixed(1)} % of the modes below zero.`) +
        ` Chosen distance: ${r[state.bin].toFixed(2)} Å.`;
    }

    bending(gChart, state, r, show);
    take(0);
    return state;
  }

  /* R² against the penalty: of the fitted structures from singular values alone, of the held-out
   * ones from their predictions. The mean of the fitted ones is the baseline of both. */
  function scores(fit, X, Y, data) {
    const [rank, rows] = fit.scores.shape, [count, columns] = X.shape;
    const strength = Array.from({ length: rank }, (_, k) =>
      fit.scores.values.slice(k * rows, (k + 1) * rows).reduce((sum, u) => sum + u * u, 0));
    let baseline = 0;
    Y.values.forEach((y, k) => { baseline += (y - fit.y_mean.values[k % rows]) ** 2; });

    function at(l2) {
      const { W, b } = live.ridge(fit, l2);
      let error = 0;
      for (let s = 0; s < count; s++) {
        const guess = live.predict(W, b, X.values.subarray(s * columns, (s + 1) * columns));
        guess.forEach((value, i) => { error += (value - Y.values[s * rows + i]) ** 2; });
      }
      const explained = strength.reduce(function (sum, square, k) {
        const h = 1 / (1 + (fit.n * l2) / fit.singular.values[k] ** 2);
        return sum + (2 * h - h * h) * square;
      }, 0);
      return { fitted: explained / data.total, held: 1 - error / baseline };
    }
    const powers = Array.from({ length: 31 }, (_, k) => -8 + k / 3);
    const found = powers.map((power) => at(10 ** power));
    return { at, powers, fitted: found.map((one) => one.fitted), held: found.map((one) => one.held) };
  }

  /* Bends g(r) with the pointer or the arrow keys. */
  function bending(chart, state, r, show) {
    const { root } = chart;
    root.setAttribute("tabindex", 0);
    root.setAttribute("role", "application");
    root.setAttribute("aria-label", "g(r). The left and right arrow keys choose a distance, up and down change g there by 0.05, with shift by 0.5.");
    root.classList.add("live-bendable");
    let bending = false;
    function bend(event) {
      const [x, y] = chart.point(event);
      const bin = r.reduce((best, value, k) => (Math.abs(value - x) < Math.abs(r[best] - x) ? k : best), 0);
      state.bin = bin;
      state.g[bin] = Math.max(0, y);
      show();
    }
    root.addEventListener("pointerdown", function (event) {
      bending = true;
      root.setPointerCapture(event.pointerId);
      bend(event);
    });
    root.addEventListener("pointermove", (event) => { if (bending) bend(event); });
    root.addEventListener("pointerup", () => { bending = false; });
    root.addEventListener("pointercancel", () => { bending = false; });
    root.addEventListener("keydown", function (event) {
      const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const up = { ArrowUp: 0.05, ArrowDown: -0.05 }[event.key];
      if ((!along && !up) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();   // the theme turns pages with the arrow keys
      if (along) state.bin = (state.bin + along + r.length) % r.length;
      else state.g[state.bin] = Math.max(0, state.g[state.bin] + up * (event.shiftKey ? 10 : 1));
      show();
    });
  }

  live.start("line", build);
})(globalThis.glassdata ??= {});
