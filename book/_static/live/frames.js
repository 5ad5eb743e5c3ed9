/* Structures of a glass in order of disorder, which a slider goes through. */
(function (live) {
  "use strict";

  function build(element, data) {
    const { bond_length, flat, frames, measure, r_edges, omega_edges } = data;
    const values = (array) => live.decode(array).values, state = { shown: null };
    const made = new Map();   // bonds take a moment, and are found once

    function structure(k) {
      if (!made.has(k)) {
        const { positions, numbers, cell } = frames[k];
        made.set(k, live.structure({ positions: values(positions), numbers: values(numbers), cell, flat }, bond_length));
      }
      return made.get(k);
    }
    const controls = live.html("div", { className: "live-controls" }, element), row = live.html("div", {}, controls);
    const slider = live.slider(row, "From order to disorder", { min: 0, max: frames.length - 1, step: 1, value: 0,
      show: (k) => `${k + 1} of ${frames.length}`, onInput: show });
    live.choice(row, "Colours", [["element", "elements"], ["neighbours", "neighbours"]], function (by) {
      atoms.colour = by;
      key(atoms.state.structure.numbers, atoms.state.structure.usual, by);
    });
    const columns = live.html("div", { className: "live-columns" }, element);
    const left = live.html("div", {}, columns), right = live.html("div", {}, columns);
    const atoms = live.atoms(left), key = live.atomKey(left);
    state.atoms = atoms;
    const charts = live.spectra(right, { r_edges, omega_edges });
    const readout = live.html("p", { className: "live-readout" }, element);
    readout.setAttribute("role", "status");

    function show(k) {
      const frame = frames[k], here = structure(k);
      const words = `Structure ${frame.index} of the dataset: ${here.numbers.length} atoms, ${frame.class}`;
      atoms.show(here, words);
      key(here.numbers, here.usual, atoms.state.colour);
      charts.show(values(frame.g), values(frame.shares), values(frame.guess));
      readout.textContent = `${words}; ${measure}: ${frame.disorder}; R² of the line ${frame.r2.toFixed(2)}.`;
      state.shown = { index: frame.index, structure: here, k };
    }
    show(slider.value);
    return state;
  }

  live.start("frames", build);
})(globalThis.glassdata ??= {});
