# inferagent: `make demo` and `make test` do everything on a machine that has Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
INSTALLS := tests/scenario/test_installed.py
LOCKS := packaging/requirements-lab.txt packaging/requirements-dev.txt

.PHONY: demo test installs lint bench soak crash fuzz hosts real record faults bars man lock clean deb rpm repo lint-packages

demo: $(VENV)/.lab
	$(BIN)/inferagent demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --ignore $(INSTALLS) tests

# Parts installed and rolled back under traffic, by real agents: a minute and a half.
installs: $(VENV)/.dev
	$(BIN)/python -m pytest $(INSTALLS)

lint: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/house

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(BENCH)

# Half an hour: 20,000 stories of the fleet and 30 virtual days of noise.
soak: $(VENV)/.dev
	$(BIN)/python -m tests.fleet $(SOAK)

# Kill a real agent in the middle of a drain, again and again.
crash: $(VENV)/.dev
	$(BIN)/python -m tests.scenario.killed_agent $(CRASH)

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz $(FUZZ)

# Remake what the stand-ins are held against, from the real programs.
record: $(VENV)/.dev
	$(BIN)/python -m tests.real.record $(RECORD)

man: $(VENV)/.dev
	$(BIN)/python packaging/manual.py build/man

# Packages of both architectures, into dist/; PACK="--arch x86_64" for one. They need no tool but those of pip.
deb rpm: $(VENV)/.pack
	PYTHONPATH=packaging $(BIN)/python -m pack $@ $(PACK)

# Signed apt and yum repositories of what is in dist/ then; REPO="--key FILE" signs with a key of yours, else a test key.
repo: $(VENV)/.pack
	PYTHONPATH=packaging $(BIN)/python -m pack deb rpm repo $(PACK) $(REPO)

# lintian, rpmlint and piuparts (as root) on what is in dist/; what is not installed is skipped, and named.
lint-packages: $(VENV)/.pack
	PYTHONPATH=packaging $(BIN)/python -m pack.lints

# Everything pinned and checked by hash; the project itself is installed in place.
$(VENV)/.lab: packaging/requirements-lab.txt pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --require-hashes -r packaging/requirements-lab.txt
	$(BIN)/pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: packaging/requirements-dev.txt pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --require-hashes -r packaging/requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps -e .
	@touch $@ $(VENV)/.lab

$(VENV)/.pack: packaging/requirements-pack.txt pyproject.toml | $(VENV)/.made
	$(BIN)/pip install --quiet --require-hashes -r packaging/requirements-pack.txt
	$(BIN)/pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cannot build with $$($(PYTHON) --version): Python 3.11 or newer is needed; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Hosts with a real systemd: as root, with systemd-container, mmdebstrap, iproute2 and nftables; else skipped. Those with
# a kernel of their own (powercut, uml) need Debian's user-mode-linux and e2fsprogs besides.
hosts: $(VENV)/.dev
	$(BIN)/python -m tests.hosts $(HOSTS) || [ $$? -eq 77 ]

# The real engines and cloudflared: gets what can be had, and holds them and the stand-ins to one contract.
real: $(VENV)/.dev
	$(BIN)/python -m tests.real $(REAL)

# The fault matrix; FAULTS=--real with the real programs.
faults: $(VENV)/.dev
	$(BIN)/python -m tests.matrix $(FAULTS)

# Drains, load, kills and hangs through the real chain.
bars: $(VENV)/.dev
	$(BIN)/python -m tests.real.bars $(BARS)

# Resolve the dependencies again: pinned, with hashes, without addresses.
lock: $(VENV)/.made
	$(BIN)/pip install --quiet pip-tools
	for extra in lab dev; do \
		$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			--strip-extras --unsafe-package inferagent --no-header --no-annotate --extra $$extra \
			--output-file packaging/requirements-$$extra.txt pyproject.toml; \
		sed -i '/^# WARNING: The following packages were not pinned/,$$d' packaging/requirements-$$extra.txt; \
	done
	for name in pack run; do \
		$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-trusted-host \
			--no-emit-find-links --strip-extras --no-header --no-annotate $$([ $$name = run ] || echo --extra $$name) \
			--constraint packaging/requirements-dev.txt \
			--output-file packaging/requirements-$$name.txt pyproject.toml; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
