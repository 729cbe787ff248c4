# uv from the PATH, else fetched once into .uv/ (git-ignored).
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
FETCHED := $(filter .uv/bin/uv,$(UV))
RUN := $(UV) run --quiet

# Where it is set, every start of Python would compile the whole tree again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: dev test unit lint lock bench

dev: $(FETCHED)
	$(UV) run chatconnect dev $(ARGS)

# Three processes, each with its own servers: many tests wait. The soak begins first (`tests/conftest.py`).
test: lint
	$(RUN) pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

unit: $(FETCHED)
	$(RUN) pytest --numprocesses 2 tests/unit

lint: $(FETCHED)
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports

# Writes the exact versions of the whole tree into pyproject.toml.
lock: $(FETCHED)
	$(UV) run --no-project python scripts/lock.py $(UV)

bench: $(FETCHED)
	@set -e; for name in lanes soak memory gateway latency fuzz ingest retrieval; do $(RUN) python -m bench.$$name; done

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv
