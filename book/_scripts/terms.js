// Shows the definition of a term under its link, when the mouse points at it or the keyboard is on it.
// A tap follows the link, as on any link: a finger points at nothing, and the entry says more.
(function () {
  "use strict";

  const GAP = 8; // pixels to the edges of the window
  const PATIENCE = 200; // milliseconds to move the mouse from the term onto its definition

  const tip = document.createElement("div");
  tip.id = "term-definition";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);

  let term = null;
  let waiting;

  function show(link) {
    hide();
    term = link;
    term.setAttribute("aria-describedby", tip.id);
    tip.textContent = term.dataset.definition;
    tip.hidden = false;
    // A term that is broken over two lines has two rectangles.
    const lines = [...term.getClientRects()];
    const [first, last] = [lines[0], lines[lines.length - 1]];
    const { width, height } = tip.getBoundingClientRect();
    const right = document.documentElement.clientWidth - width - GAP;
    const below = last.bottom + height + GAP <= window.innerHeight || first.top < height + GAP;
    tip.style.left = `${window.scrollX + Math.max(GAP, Math.min((below ? last : first).left, right))}px`;
    tip.style.top = `${window.scrollY + (below ? last.bottom : first.top - height)}px`;
  }

  function hide() {
    clearTimeout(waiting);
    term?.removeAttribute("aria-describedby");
    term = null;
    tip.hidden = true;
  }

  function hideSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(hide, PATIENCE);
  }

  for (const link of document.querySelectorAll("a.term")) {
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType !== "mouse") return;
      if (link === term) clearTimeout(waiting);
      else show(link);
    });
    link.addEventListener("pointerleave", hideSoon);
    link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
    link.addEventListener("blur", hide);
  }
  tip.addEventListener("pointerenter", () => clearTimeout(waiting));
  tip.addEventListener("pointerleave", hideSoon);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();
