# make book, make test: all a fresh machine needs is Python >= 3.11, make and a C compiler.

PYTHON ?= python3
LIMIT ?= 24
PYTEST_ARGS ?=
BENCH ?= benchmarks

VENV := .venv
BIN := $(VENV)/bin
EXTRAS := generate,plot,book,slurm,test,lint
STAMP := $(VENV)/.installed
DATASET := book/data/reference.zarr.zip
STORE := _build/store
REFERENCE := _build/reference
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# Pages with code, but for those that run afresh each time.
PAGES := $(shell grep -L 'execution_mode: force' $$(grep -l '^```{code-cell}' book/[!_]*.md))
WITH_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"

# One thread per process: a row then has the same bytes however many workers there are.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export MPLBACKEND := Agg

.DEFAULT_GOAL := help
.PHONY: help book pdf test chaos wheel mutants cnn data external sizes results motion beyond potentials sevennet bench lint clean distclean environment dataset

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

# --- environment ------------------------------------------------------------------------------

# The stamp holds the folder it was made in: scripts in a virtual environment break when it moves.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

environment: $(STAMP) ## create .venv and install (the other targets do this by themselves)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) -V 2>/dev/null || echo missing); use make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@if [ -f $@ ] && [ "$$(cat $@)" != "$(CURDIR)" ]; then rm -rf $(VENV); fi
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV), about a minute ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@printf '%s\n' "$(CURDIR)" > $@

# --- book -------------------------------------------------------------------------------------

dataset: $(STAMP)
	@if [ -f $(DATASET) ]; then \
	  $(BIN)/glassdata verify $(DATASET); \
	else \
	  echo "No $(DATASET): computing $(LIMIT) structures per glass into $(STORE)"; \
	  $(BIN)/glassdata build $(STORE) --profile reference --limit $(LIMIT) --max-failed 10%; \
	fi

# The execution cache compares code cells only. A new key (package, environment, data) empties it,
# and the parsed pages with it, or Sphinx would not even look at unchanged pages again.
# After a failed or interrupted build the parsed pages go as well: warnings are given while a page
# is parsed, so a second run would pass over them in silence.
# The pages are executed first, one per core at a time; jupyter-book alone would do one after the
# other. It takes them from the cache, and executes one that failed again to show what was wrong.
# MPLBACKEND must be unset: it would keep the notebooks' figures out of the pages.
# The page of the dataset recomputes other structures each time: touched, it counts as changed.
book: $(STAMP) dataset ## the executed site, in _build/html/index.html
	@mkdir -p _build
	@$(BIN)/python -c "$$KEY_PY" > _build/cache-key.new
	@if ! cmp -s _build/cache-key.new _build/cache-key; then rm -rf _build/.jupyter_cache _build/.doctrees; fi
	@if [ -e _build/unfinished ]; then rm -rf _build/.doctrees; fi
	@mv _build/cache-key.new _build/cache-key
	@touch _build/unfinished
	@rm -f _build/html/index.html
	@touch book/appendix-dataset.md
	@mkdir -p _build/.jupyter_cache
	@$(WITH_VENV) jcache notebook -p _build/.jupyter_cache add -r myst_nb_md $(PAGES) >/dev/null
	unset MPLBACKEND; $(WITH_VENV) jcache project -p _build/.jupyter_cache execute -e local-parallel -t 900
	unset MPLBACKEND; $(WITH_VENV) jupyter-book build . --warningiserror --keep-going
	@test -f _build/html/index.html || { echo "error: no _build/html/index.html" >&2; exit 1; }
	@rm _build/unfinished

pdf: book ## the whole book as one PDF, in _build/book.pdf (needs Chromium)
	$(BIN)/python book/_ext/printed.py _build/html _build/book.pdf

define KEY_PY
import hashlib, pathlib, sys
key = hashlib.sha256(sys.version.encode())
files = [p for top in ("glassdata", "book/data") for p in pathlib.Path(top).rglob("*")]
files += [pathlib.Path("constraints.txt"), *pathlib.Path("benchmarks").glob("*.json")]
files += pathlib.Path("_build/results").glob("*.zip")
if not pathlib.Path("$(DATASET)").is_file():
    files.append(pathlib.Path("$(STORE)/manifest.json"))
for path in sorted(p for p in files if p.is_file() and p.suffix != ".pyc"):
    key.update(path.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
print(key.hexdigest())
endef
export KEY_PY

# --- tests and style --------------------------------------------------------------------------

# Files side by side, one process per core; PYTEST_ARGS="-n 0" runs them one after the other.
test: $(STAMP) ## the whole test suite (PYTEST_ARGS="-m 'not slow'" for a part)
	$(WITH_VENV) python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

# Kills, full disks and spoilt files; the same faults again with CHAOS_SEED=... as it was printed.
chaos: $(STAMP) ## the long tests of faults (minutes); make test holds a short version of them
	CHAOS=full $(WITH_VENV) python -m pytest tests/test_crash_points.py tests/test_kills.py \
	  tests/test_store_states.py tests/test_faults.py tests/test_poison.py tests/test_whole.py \
	  tests/test_spoilt.py tests/test_file_systems.py tests/test_kernels.py tests/test_unfit.py \
	  tests/test_silence.py tests/test_slurm.py \
	  tests/test_experiments.py::test_damaged_results_are_named_and_made_again $(PYTEST_ARGS)

# The same mutants again with MUTANTS="--seed 0 --count 300" as it was printed; a part of the package
# with MUTANTS="--only 'glassdata/cli/*'".
wheel: $(STAMP) ## build the wheel, install it in a clean environment, run what README.md says (minutes, downloads)
	WHEEL=clean $(WITH_VENV) python -m pytest tests/test_wheel.py $(PYTEST_ARGS)

mutants: $(STAMP) ## does any test notice a wrong line? a sample of mutants of the science layer, 20 min
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[mutants]'
	$(WITH_VENV) python tests/mutants.py $(MUTANTS)

cnn: $(STAMP) ## add PyTorch to .venv, for the convolutional networks
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[cnn]'

bench: $(STAMP) ## timings beside the peers, for the appendix: quiet machine, two hours (an hour more, once)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[cnn,mkl,peers]'
	$(WITH_VENV) python -m pytest $(BENCH) --benchmark-enable --benchmark-only

lint: $(STAMP) ## ruff: rules and layout; mypy: types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# --- data -------------------------------------------------------------------------------------

# The potential of cualzr_sheng does not ship: SETFL=path/to/ZrCuAl2011.eam.alloy adds that glass.
data: $(STAMP) ## regenerate the reference dataset (six hours on two cores; resumes where it stopped)
	$(if $(SETFL),$(BIN)/glassdata systems --add $(SETFL))
	$(BIN)/glassdata build $(REFERENCE) --profile reference --max-failed 10%
	$(BIN)/glassdata verify $(REFERENCE)
	@mkdir -p book/data
	$(BIN)/python -c 'import sys, pathlib, glassdata.store; glassdata.store.pack(*map(pathlib.Path, sys.argv[1:]))' $(REFERENCE) $(DATASET)

# The atoms belong to their makers and do not ship: SHEETS=path/to/amc-sheets.extxyz.xz has them.
external: $(STAMP) ## describe the sheets that others made (minutes; needs their file)
	$(if $(SHEETS),$(BIN)/glassdata systems --add $(SHEETS))
	$(BIN)/glassdata build _build/external --profile external
	@mkdir -p book/data
	$(BIN)/python -c 'import sys, pathlib, glassdata.store; glassdata.store.pack(*map(pathlib.Path, sys.argv[1:]), without=("position", "number"))' _build/external book/data/external.zarr.zip

sizes: $(STAMP) ## one mixture in smaller boxes (half an hour; resumes where it stopped)
	$(BIN)/glassdata build _build/sizes --profile sizes
	@mkdir -p book/data
	$(BIN)/python -c 'import sys, pathlib, glassdata.store; glassdata.store.pack(*map(pathlib.Path, sys.argv[1:]), without=("position", "number"))' _build/sizes book/data/sizes.zarr.zip

results: $(STAMP) cnn ## recompute what chapters 9 to 13 read (two and a half hours; resumes where it stopped)
	for name in line-vs-cnn weights referee glasses why elsewhere coverage; do $(BIN)/glassdata experiment $$name -o _build/results || exit 1; done
	@mkdir -p book/data/results
	cp _build/results/*.zip book/data/results/

motion: $(STAMP) ## let liquids move and read where: chapter 15 (an hour and a half; resumes where it stopped)
	for name in propensity motion; do $(BIN)/glassdata experiment $$name -o _build/results || exit 1; done
	@mkdir -p book/data/results
	cp _build/results/propensity.zip _build/results/motion.zip book/data/results/

beyond: $(STAMP) ## observables of every structure and the line on them: chapter 16 (two hours; resumes)
	for name in observables beyond descriptors driven; do $(BIN)/glassdata experiment $$name -o _build/results || exit 1; done
	@mkdir -p book/data/results
	cd _build/results && cp observables.zip beyond.zip descriptors.zip driven.zip $(CURDIR)/book/data/results/

# Weights and DFT spectra belong to their makers: NEP=path/to/nep89.txt DFT=path/to/dft-glasses.json
# add them once. CHGNet is no part of the extra: the chapter shows it as a warning.
potentials: $(STAMP) ## judge learned potentials by DFT (minutes; needs two files of others)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[mlip]' chgnet==0.4.2
	$(if $(NEP),$(BIN)/glassdata systems --add $(NEP))
	$(if $(DFT),$(BIN)/glassdata systems --add $(DFT))
	$(BIN)/glassdata experiment potentials -o _build/results
	@mkdir -p book/data/results
	cp _build/results/potentials.zip book/data/results/

sevennet: $(STAMP) ## bring silicon carbides to rest in SevenNet-0 (hours; resumes; NEP as above)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[mlip]'
	$(if $(NEP),$(BIN)/glassdata systems --add $(NEP))
	$(BIN)/glassdata experiment sevennet -o _build/results
	@mkdir -p book/data/results
	cp _build/results/sevennet.zip book/data/results/

# --- cleaning ---------------------------------------------------------------------------------

clean: ## remove the site and all caches; keep .venv and computed rows
	rm -rf _build/html _build/jupyter_execute _build/.doctrees _build/.jupyter_cache _build/cache-key* \
	  _build/unfinished .pytest_cache .ruff_cache .hypothesis .benchmarks
	find glassdata tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## clean, and remove .venv and computed rows too
	rm -rf _build $(VENV)
