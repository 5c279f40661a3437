# The one way in. Needs make and Python 3.11 or newer; everything else is installed into .venv/ from the lock files.
#
#   make run PORT=9000          settings are environment variables
#   make test ARGS="-k feed"    ARGS goes to pytest
#   make run PYTHON=python3.12  builds .venv/ with that Python; otherwise the first that fits is taken
#
# Written for make 3.81 (macOS) and any POSIX shell. All paths are relative, so that the checkout may lie in a path with spaces.

.DEFAULT_GOAL := help
.PHONY: help run test oracle orders faults soak load leaks audit days lives midnight bench screenshots readme check pip-audit check-lock format lock upgrade clean _runtime _dev _bench

PY := .venv/bin/python
PYTHON ?=
ARGS ?=

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: _runtime ## Start the app on http://127.0.0.1:8080 (HOST, PORT)
	@exec $(PY) app.py

test: _dev ## Run all tests, on all processors (ARGS="..." goes to pytest)
	@$(PY) -m pytest --numprocesses auto --dist worksteal $(ARGS)

oracle: _dev ## Run the oracle for much longer than "make test" does (ORACLE_EXAMPLES=200)
	@ORACLE_EXAMPLES=$${ORACLE_EXAMPLES:-200} $(PY) -m pytest tests/test_oracle.py --timeout=0 $(ARGS)

orders: _dev ## Run all orders in which actors can meet in the cache (ARGS="--backend hybrid --model readers")
	@$(PY) -m tests.cache.orders $(ARGS)

faults: _dev ## Inject every fault, the long ones too, and print the matrix (ARGS="--kills 1000", ARGS="-k F11")
	@$(PY) -m tests.faults $(ARGS)

soak: _dev ## Four processes on one database, killed now and then, for SOAK_SECONDS=60 (ARGS=--mutant)
	@$(PY) -m tests.soak $(ARGS)

load: _dev ## A hundred users with long histories at once, for LOAD_SECONDS=600 (ARGS="--users 10")
	@$(PY) -m tests.load $(ARGS)

leaks: _dev ## Open and close a thousand pages, and count what is left of them (ARGS="--pages 100")
	@$(PY) -m tests.leaks $(ARGS)

audit: _dev ## Let the auditor make 100,000 checks of random days (ARGS=5000)
	@$(PY) -m tests.audit $(ARGS)

days: _dev ## Walk clocks through ten years of every zone, beside a cron job (ARGS="--zone Africa/Cairo")
	@$(PY) -m tests.scheduler.sweep $(ARGS)

lives: _dev ## Walk through more random lives of people who move than "make test" does (LIVES_EXAMPLES=300)
	@LIVES_EXAMPLES=$${LIVES_EXAMPLES:-300} $(PY) -m pytest tests/scheduler/test_lives.py --timeout=0 $(ARGS)

midnight: _dev ## Measure a new day for 10,000 users of one zone (ARGS="--users 1000")
	@$(PY) -m tests.scheduler.midnight $(ARGS)

bench: _bench ## Measure the cache against others (ARGS=--quick), or the pages in a browser (ARGS=pages)
	@$(PY) -m tests.bench $(ARGS)

screenshots: _dev ## Take the pictures in docs/screenshots/ (needs Chromium)
	@$(PY) -m tests.browser.screenshots

readme: _dev ## Write the lists of the README that are made from the code
	@$(PY) -m tests.readme

check: check-lock ## Check format, lint, types, the import contracts and security
	@$(PY) -m ruff format --check --quiet --output-format concise . || { echo 'The files above are not formatted: run "make format".' >&2; exit 1; }
	@$(PY) -m ruff check --quiet .
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m mypy
	@mkdir -p build && $(PY) -m bandit --quiet --configfile pyproject.toml --recursive app.py events cache data pages scheduler 2>build/bandit.log

pip-audit: _dev ## Ask for known vulnerabilities of the packages that are locked (needs the network)
	@$(PY) -m pip_audit --strict --require-hashes --disable-pip --progress-spinner off --requirement requirements.lock

check-lock: _dev ## Check that the lock files belong to pyproject.toml (no network)
	@$(PY) -c "$$locks" check

format: _dev ## Format the code and apply the safe lint fixes
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format --quiet .

# The lock for development is resolved first and constrains the others: one resolution, of which the runtime is a part.
# The lock for the benchmark holds what that needs besides.
# uv keeps the versions that it finds in the output file, hence the copies. uv comes from the old lock.
lock: ## Write the lock files anew; versions change only where pyproject.toml asks for it
	@test -x .venv/bin/uv || $(MAKE) --no-print-directory _dev
	@mkdir -p build && rm -f build/runtime.txt build/dev.txt build/bench.txt
	@if [ -f requirements.lock ]; then cp requirements.lock build/runtime.txt; fi
	@if [ -f requirements-dev.lock ]; then cp requirements-dev.lock build/dev.txt; fi
	@if [ -f requirements-bench.lock ]; then cp requirements-bench.lock build/bench.txt; fi
	@$(COMPILE) pyproject.toml $(UPGRADE) --group dev --output-file build/dev.txt
	@$(COMPILE) pyproject.toml --constraints build/dev.txt --output-file build/runtime.txt
	@$(COMPILE) $(UPGRADE) --group bench --constraints build/dev.txt --output-file build/bench.txt
	@$(PY) -c "$$locks" write

upgrade: ## The same, with the newest versions that pyproject.toml allows
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

clean: ## Remove .venv/ and all that can be made again; data/state/ stays
	@rm -rf .venv build data/cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

_runtime:
	@sh -c "$$install" install runtime requirements.lock "$(PYTHON)"

_dev:
	@sh -c "$$install" install dev requirements-dev.lock "$(PYTHON)"

_bench: _dev
	@sh -c "$$install" install bench requirements-bench.lock "$(PYTHON)"

# Bring .venv/ to the state that a lock file describes. Done already: 30 ms.
#
# .venv/.made        which Python, in which place; missing while anything is being changed, so after an interruption all is built again
# .venv/.runtime, .dev, .bench  the checksum of the lock file that was installed
# .venv/install.log  what venv and pip said
#
# --no-deps: a lock file names everything, and nothing is left to be resolved. Asked to resolve all the same, pip before 23.3
# refuses coverage[toml] as not pinned as soon as there is a newer coverage than the one that is locked.
define install
set -eu
what=$$1 lock=$$2 asked=$$3
die() { printf '%s\n' "$$*" >&2; exit 1; }

[ -f "$$lock" ] || die "$$lock is missing: get it back with \"git checkout $$lock\"."
version='import sys; print(sys.version)'
fits='import sys; sys.exit(sys.version_info < (3, 11))'

sum=$$(cksum <"$$lock")

made() {
    [ -f .venv/.made ] && here=$$(.venv/bin/python -c 'import sys; print(sys.prefix, sys.version)' 2>&1) &&
        [ "$$here" = "$$(cat .venv/.made)" ] &&
        { [ -z "$$asked" ] || [ "$$("$$asked" -c "$$version" 2>&1)" = "$$(.venv/bin/python -c "$$version")" ]; }
}
installed() { made && [ "$$sum" = "$$(cat ".venv/.$$what" 2>/dev/null)" ]; }

installed && exit
# Of two that start at once, the second waits here. Without flock (macOS) it would pull the folder away under the first.
mkdir -p build
if command -v flock >/dev/null; then exec 9>build/install.lock; flock 9; fi
installed && exit

if ! made; then
    python= bare=
    if [ -n "$$asked" ]; then set -- "$$asked"; else set -- python3.13 python3.12 python3.11 python3; fi
    for candidate; do
        "$$candidate" -c "$$fits" >/dev/null 2>&1 || continue
        if "$$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then python=$$candidate; break; fi
        bare=$${bare:-$$candidate}
    done
    if [ -z "$$python" ]; then
        [ -z "$$bare" ] || die "$$bare cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)."
        [ -z "$$asked" ] || die "PYTHON=$$asked is not a Python 3.11 or newer."
        die "No Python 3.11 or newer found: install one, or name it with \"make PYTHON=/path/to/python3\"."
    fi
    rm -f .venv/.made
    rm -rf .venv
    mkdir .venv || die "The folder .venv cannot be made here."
    "$$python" -m venv .venv >.venv/install.log 2>&1 || die "$$python could not make .venv: .venv/install.log says why."
    .venv/bin/python -c 'import sys; print(sys.prefix, sys.version)' >.venv/.made
fi

echo "Installing $$(grep -c == "$$lock") packages into .venv (about a minute the first time) ..."
mv .venv/.made .venv/.unsure
if ! .venv/bin/python -m pip --disable-pip-version-check --no-input install --no-deps --require-hashes -r "$$lock" >.venv/install.log 2>&1; then
    grep -q '^Installing collected packages' .venv/install.log || mv .venv/.unsure .venv/.made
    why=$$(grep -m 1 '^ERROR: ' .venv/install.log) || why="pip failed"
    ! grep -q 'Retrying (Retry' .venv/install.log || why="the package index cannot be reached"
    die "Could not install $$lock ($${why#ERROR: }); .venv/install.log has the details."
fi
echo "$$sum" >".venv/.$$what"
[ "$$what" != dev ] || cksum <requirements.lock >.venv/.runtime
mv .venv/.unsure .venv/.made
endef
export install

# Each lock file opens with a hash of the dependency lists that it was resolved from.
define locks
import hashlib, json, pathlib, sys, tomllib

pyproject = tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))
project, groups = pyproject["project"], pyproject["dependency-groups"]
asked = [project["requires-python"], sorted(project["dependencies"]), sorted(groups["dev"])]
drafts = {"requirements.lock": "build/runtime.txt", "requirements-dev.lock": "build/dev.txt", "requirements-bench.lock": "build/bench.txt"}

def stamp(name):
    lists = [*asked, sorted(groups["bench"])] if name == "requirements-bench.lock" else asked
    return "# dependencies sha256:" + hashlib.sha256(json.dumps(lists).encode()).hexdigest() + "\n"

if sys.argv[1] == "write":
    for name, draft in drafts.items():
        text = "# Written by \"make lock\" from pyproject.toml.\n" + stamp(name) + pathlib.Path(draft).read_text("utf-8")
        pathlib.Path(name).write_text(text, "utf-8", newline="\n")

texts = {name: pathlib.Path(name).read_text("utf-8") for name in drafts}
for name, text in texts.items():
    if stamp(name) not in text:
        sys.exit(f"{name} was not made from the dependencies in pyproject.toml: run \"make lock\".")
    if "://" in text or "--index-url" in text:
        sys.exit(f"{name} holds an address: lock files hold names, versions and hashes only.")
runtime, dev, bench = ({line.rstrip(" \\") for line in text.splitlines() if "==" in line} for text in texts.values())
if not runtime <= dev:
    sys.exit(f"requirements-dev.lock lacks {min(runtime - dev)}: run \"make lock\".")
both = {line.partition("==")[0] for line in dev} & {line.partition("==")[0] for line in bench}
if other := {line for line in bench - dev if line.partition("==")[0] in both}:
    sys.exit(f"requirements-dev.lock has another version of {min(other)}: run \"make lock\".")
endef
export locks
