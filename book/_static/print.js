// On paper: answers and results unfolded, in light colours. Code that is folded away and the options
// of questions stay closed: a handout is short, and does not give the answers to its questions.
(function () {
  "use strict";

  const FOLDS = "details:is(.sd-dropdown, .below-input):not([open])";
  let opened = [];
  let theme = null;

  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(FOLDS)];
    for (const fold of opened) fold.open = true;
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    for (const fold of opened) fold.open = false;
    document.documentElement.dataset.theme = theme;
  });
})();
