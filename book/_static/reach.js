/* For readers with a keyboard, a telephone or a printer.
 *
 * What scrolls sideways can be reached by Tab and moved by the arrow keys; in some browsers only what
 * has a tabindex can. A formula that is wider than its paragraph scrolls too. Print is light. */
(function () {
  "use strict";
  const BOXES = ".bd-article :is(table, pre, .math, mjx-container, .text_html, .text_plain)";
  const inside = (box) => box.querySelector("a, button, input, select, summary, [tabindex]");

  function mark(box) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (scrolls && (box.dataset.reach || !inside(box))) {
      box.tabIndex = 0;
      box.dataset.reach = "own";
    } else if (box.dataset.reach) {
      box.removeAttribute("tabindex");
      delete box.dataset.reach;
    }
  }

  /* An inline formula, by the width that it would like to have. */
  function fit(formula) {
    formula.classList.remove("overlong");
    const paragraph = formula.closest("p, li, td, th, dd, figcaption, div");
    if (formula.getBoundingClientRect().width > paragraph.clientWidth) formula.classList.add("overlong");
  }

  function look() {
    document.querySelectorAll(".bd-article mjx-container:not([display])").forEach(fit);
    document.querySelectorAll(BOXES).forEach(mark);
  }
  new ResizeObserver(look).observe(document.querySelector(".bd-article") ?? document.body);
  look();
  // Formulas come later, where there are any.
  document.addEventListener("DOMContentLoaded", () => window.MathJax?.startup?.promise?.then(look));

  let before = null;
  window.addEventListener("beforeprint", function () {
    before = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => { document.documentElement.dataset.theme = before; });
})();
