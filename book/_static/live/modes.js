/* Modes of a flat glass: atoms that swing along an eigenvector, with arrows while they stand still. */
(function (live) {
  "use strict";
  const PERIOD = 2400;                  // milliseconds, the same for all modes

  function build(element, data) {
    const positions = live.decode(data.positions).values, [length, height] = data.box;
    const vectors = data.modes.map((mode) => live.decode(mode.moved).values);
    const quiet = globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const state = { mode: 0, moving: !quiet, phase: 0.25 };
    const controls = live.html("div", { className: "live-controls" }, element), row = live.html("div", {}, controls);
    live.choice(row, "Mode", data.modes.map((mode, k) => [String(k), mode.name]), (k) => show(Number(k)));
    const button = live.button(row, "", () => run(!state.moving));
    const canvas = live.html("canvas", { className: "live-atoms" }, element);
    canvas.setAttribute("role", "img");
    canvas.style.aspectRatio = `${length + data.distance} / ${height + data.distance}`;
    canvas.style.cursor = "default";
    const readout = live.html("p", { className: "live-readout" }, element);
    readout.setAttribute("role", "status");

    function draw() {
      const width = canvas.clientWidth;
      if (!width) return;
      const scale = width / (length + data.distance), tall = canvas.clientHeight;
      const dots = globalThis.devicePixelRatio || 1, margin = data.distance / 2;
      canvas.width = Math.round(width * dots);
      canvas.height = Math.round(tall * dots);
      const pen = canvas.getContext("2d"), style = getComputedStyle(canvas), moved = vectors[state.mode];
      pen.scale(dots, dots);
      const swing = state.moving ? Math.sin(2 * Math.PI * state.phase) : 0, radius = 0.22 * data.distance * scale;
      const [still, loud] = ["--live-quiet", "--live-guess"].map((name) => style.getPropertyValue(name));
      pen.lineWidth = Math.max(1, 0.08 * data.distance * scale);
      for (let k = 0; k < positions.length; k += 2) {
        const at = (d, share) => positions[k + d] + share * moved[k + d] + margin;
        const x = scale * at(0, swing), y = tall - scale * at(1, swing);
        pen.fillStyle = pen.strokeStyle = 4 * Math.hypot(moved[k], moved[k + 1]) > data.distance / 2 ? loud : still;
        pen.beginPath();
        pen.arc(x, y, state.moving ? radius : radius / 2, 0, 2 * Math.PI);
        pen.fill();
        if (state.moving) continue;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(scale * at(0, 2), tall - scale * at(1, 2));
        pen.stroke();
      }
    }

    function step(now) {
      if (!state.moving) return;
      state.phase = now / PERIOD % 1;
      const { top, bottom } = canvas.getBoundingClientRect();
      if (bottom > 0 && top < innerHeight) draw();
      requestAnimationFrame(step);
    }

    function run(moving) {
      state.moving = moving;
      button.textContent = moving ? "Stand still" : "Move";
      if (moving) requestAnimationFrame(step);
      else draw();
    }

    function show(k) {
      const { name, frequency, ratio } = data.modes[k];
      state.mode = k;
      const words = `${name[0].toUpperCase()}${name.slice(1)}: ${frequency.toFixed(2)} THz, participation ratio ${ratio.toFixed(3)}`;
      canvas.setAttribute("aria-label", `${positions.length / 2} atoms in a mode. ${words}.`);
      readout.textContent = `${words}. Atoms that move at least a quarter as far as the farthest are orange.`;
      draw();
    }

    globalThis.addEventListener("resize", draw);
    show(0);
    run(state.moving);
    return Object.assign(state, { vectors });
  }

  live.start("modes", build);
})(globalThis.glassdata ??= {});
