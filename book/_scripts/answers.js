// The first answers to questions: by the key of each question, the number of the chosen option.
// And the line that tells of them, on a chapter's page and on the title page.
const courseAnswers = {
  KEY: "course-book-answers",
  unstored: {}, // where nothing may be stored, a page still works, until it is left

  load() {
    try {
      const answers = JSON.parse(localStorage.getItem(this.KEY));
      return answers instanceof Object ? answers : {};
    } catch {
      return this.unstored;
    }
  },

  store(answers) {
    this.unstored = answers;
    try {
      localStorage.setItem(this.KEY, JSON.stringify(answers));
    } catch {
      // A full or forbidden storage costs the memory alone.
    }
  },

  /** A line that says how many were answered, with a button to forget them. */
  line(button) {
    const line = document.createElement("p");
    line.className = "question-progress";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    const forget = document.createElement("button");
    forget.type = "button";
    forget.textContent = button;
    line.append(said, " ", forget);
    return { line, said, forget };
  },
};
