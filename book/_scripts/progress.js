// On the title page: how many questions of each chapter were answered in this browser, and a way to
// forget that. The page says which option of which question is right; other answers do not count.
(function () {
  "use strict";

  const chapters = JSON.parse(document.getElementById("chapter-questions").textContent);

  const { line: all, said, forget } = courseAnswers.line("Forget my answers");

  const lines = chapters.map(({ page, questions }) => {
    const line = document.createElement("span");
    line.className = "chapter-answers";
    const link = document.querySelector(`.bd-article table a[href="${page}"]`);
    link?.after(line);
    link?.closest("table").after(all);
    return { line, questions: Object.entries(questions) };
  });

  function counted(questions, answers) {
    const answered = questions.filter(([key]) => key in answers);
    const right = answered.filter(([key, option]) => answers[key] === option);
    return [answered.length, `${answered.length} of ${questions.length} answered, ${right.length} right`];
  }

  function show() {
    const answers = courseAnswers.load();
    for (const { line, questions } of lines) {
      const [answered, text] = counted(questions, answers);
      line.hidden = answered === 0;
      line.textContent = text;
    }
    const [answered, text] = counted(lines.flatMap(({ questions }) => questions), answers);
    all.hidden = answered === 0;
    said.textContent = `Of the questions of all chapters, ${text} at the first try.`;
  }

  forget.addEventListener("click", () => {
    if (!window.confirm("Forget all your answers in this browser?")) return;
    courseAnswers.store({});
    show();
  });
  // A browser may show the page again as it left it.
  window.addEventListener("pageshow", show);
})();
