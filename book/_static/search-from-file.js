// Results of a search come with an excerpt that is fetched from each page. A browser forbids that
// to a page opened from a file, and would report an error a result: there, titles have to do.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
