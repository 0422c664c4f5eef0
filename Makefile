# `make course` builds everything there is to look at, `make test` checks everything there is to
# check; both start from nothing but Python, pip, make and git. `make help` lists the parts.

PYTHON ?= python3
PORT ?= 8000
SHEET ?= iou-nms

BIN := .venv/bin
ENV := .venv/.installed
STAMPS := build/.stamps
DEMO := build/demo-class
PAGES := $(wildcard book/*.md)

# What the products are made from. A product is made anew when one of its files is newer.
CODE := $(shell find autograder detseg data -type f -not -path '*/__pycache__/*' 2>/dev/null)
SHEETS := $(shell find solutions -type f -not -path '*/__pycache__/*' 2>/dev/null)

# Runs a step and prints how long it took: $(call step,name,command)
define step
	@echo "== $(1)"; start=$$(date +%s); $(2) && echo "== $(1): $$(( $$(date +%s) - start )) s"
endef

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help course pictures test env chromium postgresql release book bundle demo-class serve lint bench checkpoints clean

help:
	@echo "make course       everything below to look at: the book, the bundle, the demo class"
	@echo "make test         every check there is"
	@echo "make env          the environment in .venv"
	@echo "make book         the book as HTML in build/html"
	@echo "make bundle       the students' zip, build/bundle.zip"
	@echo "make demo-class   24 made-up submissions, graded, in build/demo-class"
	@echo "make serve        the book at http://127.0.0.1:$(PORT)"
	@echo "make lint         ruff, codespell, mypy"
	@echo "make bench        how fast grading is, compared with nbgrader's own (half an hour)"
	@echo "make checkpoints  train the models in data/checkpoints anew (many minutes)"
	@echo "make pictures     what comes from a browser or a program: figures' data and stills, the card, the README's"
	@echo "make clean        remove build/ (the environment stays)"

course: book bundle demo-class
	@echo
	@echo "The book:        build/html/index.html (or: make serve)"
	@echo "The bundle:      build/bundle.zip"
	@echo "The demo class:  $(DEMO)/report/$(SHEET).html, feedback in $(DEMO)/feedback/"

# The grader's tests come one after the other: many are about time that is running out.
GRADER := autograder tests/autograder

test: lint book bundle chromium postgresql
	$(call step,tests of book and package,OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(addprefix --ignore=,$(GRADER)) -n logical --maxprocesses 4 --dist worksteal --durations=10)
	$(call step,tests of the grader,$(BIN)/python -m pytest $(GRADER) --durations=10)

env: $(ENV)

$(ENV): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	    { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12" >&2; exit 1; }
	$(call step,environment,$(PYTHON) -m venv .venv && \
	    $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -r requirements.txt && \
	    $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e . && \
	    $(BIN)/python -m pip check)
	@touch $@

# Chromium opens every built page in the tests, and PostgreSQL holds gradebooks: the only things that
# are not Python packages.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "== chromium"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else \
	    echo "The browser tests need Chromium: install it (Debian: apt-get install chromium)." >&2; exit 1; \
	fi

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "== postgresql"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; \
	else \
	    echo "The gradebook's tests need PostgreSQL: install it (Debian: apt-get install postgresql)." >&2; exit 1; \
	fi

release: $(STAMPS)/release
$(STAMPS)/release: $(ENV) $(CODE) $(SHEETS)
	$(call step,release,$(BIN)/autograder release)
	@mkdir -p $(@D) && touch $@

# The builder itself knows what changed: it also depends on which pages there are.
book: $(STAMPS)/release
	$(call step,book,$(BIN)/python book/build.py)

bundle: build/bundle.zip
build/bundle.zip: $(STAMPS)/release $(PAGES) requirements.txt LICENSE LICENSE-TEXT | book
	$(call step,bundle,$(BIN)/autograder bundle --output $@)

demo-class: $(STAMPS)/demo-class
$(STAMPS)/demo-class: $(STAMPS)/release
	$(call step,demo class,rm -rf $(DEMO) && $(BIN)/autograder demo-class $(SHEET) --course $(DEMO) && \
	    $(BIN)/autograder grade $(SHEET) --course $(DEMO) && \
	    $(BIN)/autograder feedback $(SHEET) --course $(DEMO) && \
	    $(BIN)/autograder report $(SHEET) --course $(DEMO) && \
	    $(BIN)/autograder export $(SHEET) --course $(DEMO) --output $(DEMO)/grades.csv)
	@touch $@

serve: book
	@echo "The book is at http://127.0.0.1:$(PORT) (Ctrl-C ends)"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/html $(PORT)

lint: $(ENV)
	$(call step,lint,$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/codespell && $(BIN)/mypy)

bench: $(ENV)
	@$(BIN)/python tests/benchmarks/grading.py

pictures: book chromium
	$(BIN)/python book/figure_data.py
	$(BIN)/python book/pictures.py

checkpoints: $(ENV)
	$(call step,checkpoints,$(BIN)/python -m detseg.train_detector && \
	    $(BIN)/python -m detseg.train_mask_network && $(BIN)/python -m detseg.train_families && \
	    $(BIN)/python book/page_checkpoints.py && \
	    $(BIN)/python solutions/detector/train.py)

clean:
	rm -rf build
