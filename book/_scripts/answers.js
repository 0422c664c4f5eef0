// The first answers to questions: by the key of each question, the number of the chosen option.
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
};
