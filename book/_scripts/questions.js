// Remembers which option of a question was chosen first: in this browser, and nowhere else.
(function () {
  "use strict";

  const questions = [...document.querySelectorAll(".course-question")];
  const { line, said, forget } = courseAnswers.line("Start again");
  questions[0].before(line);

  function optionsOf(question) {
    return [...question.querySelectorAll(".question-option")];
  }

  function show() {
    const answers = courseAnswers.load();
    let answered = 0;
    let right = 0;
    for (const question of questions) {
      const first = answers[question.dataset.question];
      const options = optionsOf(question);
      options.forEach((option, index) => option.toggleAttribute("data-first", index === first));
      if (first === undefined) continue;
      answered += 1;
      right += options[first]?.dataset.right === "true" ? 1 : 0;
    }
    said.textContent = answered === 0
      ? `${questions.length} questions. Choose an answer to see why it is right or wrong.`
      : `${answered} of ${questions.length} answered, ${right} right at the first try.`;
    forget.hidden = answered === 0;
  }

  for (const question of questions) {
    optionsOf(question).forEach((option, index) => {
      option.addEventListener("toggle", () => {
        // Loaded anew each time: another chapter may be open beside this one.
        const answers = courseAnswers.load();
        if (!option.open || question.dataset.question in answers) return;
        answers[question.dataset.question] = index;
        courseAnswers.store(answers);
        show();
      });
    });
  }
  forget.addEventListener("click", () => {
    const answers = courseAnswers.load();
    for (const question of questions) {
      delete answers[question.dataset.question];
      for (const option of optionsOf(question)) option.open = false;
    }
    courseAnswers.store(answers);
    show();
  });
  show();
})();
