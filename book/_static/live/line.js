/* The line D = W g + b: from stored weights, or fitted in the page for any penalty.
 *
 * Arrays come from Python as base64 of little-endian doubles or floats, with their shape.
 */
(function (live) {
  "use strict";

  /* {shape, kind: "float64" | "float32", data: base64} -> {shape, values}. */
  live.decode = function ({ shape, kind, data }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const Kind = { float64: Float64Array, float32: Float32Array }[kind];
    return { shape, values: new Kind(bytes.buffer) };
  };

  /* W g + b for W of shape (rows, columns). */
  live.predict = function (W, b, g) {
    const [rows, columns] = W.shape, answer = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      let sum = b[i];
      for (let j = 0; j < columns; j++) sum += W.values[i * columns + j] * g[j];
      answer[i] = sum;
    }
    return answer;
  };

  /* Ridge regression for the penalty l2, from the singular values s of the n centred training
   * g(r), their right vectors V (rows) and the scores U^T Y: W = sum_k s_k / (s_k^2 + n l2) u_k^T Y v_k. */
  live.ridge = function (fit, l2) {
    const { n, singular, right, scores, x_mean, y_mean } = fit;
    const [rank, columns] = right.shape, rows = scores.shape[1];
    const values = new Float64Array(rows * columns);
    for (let k = 0; k < rank; k++) {
      const s = singular.values[k], filter = s / (s * s + n * l2);
      for (let i = 0; i < rows; i++) {
        const weight = filter * scores.values[k * rows + i];
        for (let j = 0; j < columns; j++) values[i * columns + j] += weight * right.values[k * columns + j];
      }
    }
    const W = { shape: [rows, columns], values };
    const b = live.predict(W, y_mean.values, x_mean.values.map((x) => -x));
    return { W, b };
  };

  /* Share of the modes that a prediction puts at the wrong frequency: half the sum of |difference|. */
  live.misplaced = function (truth, guess) {
    return truth.reduce((sum, y, k) => sum + Math.abs(y - guess[k]), 0) / 2;
  };
})(globalThis.glassdata ??= {});
