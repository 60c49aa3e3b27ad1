# make lab       set up, then open JupyterLab at the course (NO_BROWSER=1 prints the address)
# make setup     the set-up alone
# make test      set up with the test tools, then run the tests
# make thorough  kill, fill, lock and spread the grader; compare its kernels' outputs (minutes)
# make attacks   hand in notebooks that cheat, and see that they gain nothing
# make parity    set up with jax, torch and transformers, then compare with them
# make lint      style of the code, and labs/ equal to what the sources build
#
# PYTHON=/path/to/python3.12 chooses the Python; WORKERS=4 the processes that test.

PYTHON ?=
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin

# A name that exists may still fail when called (pyenv's shims do), so each is tried.
FIT := import ensurepip, sys, venv; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
NONE := Python 3.11, 3.12 or 3.13 with venv is needed and none was found: install one (Debian, \
Ubuntu: apt install python3-venv) or name it, as in: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12
INSTALL = @$(if $(PYTHON),,$(BIN)/python course/install.py --check $(1) 2>/dev/null && exit;) \
	for python in $(if $(PYTHON),'$(PYTHON)',python3.13 python3.12 python3.11 python3 python); do \
	if "$$python" -c '$(FIT)' >/dev/null 2>&1; then exec "$$python" course/install.py $(1); fi; \
	done; echo "$(NONE)" >&2; exit 1

.PHONY: help setup lab test thorough attacks parity lint

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n '1,9p'

setup:
	$(call INSTALL)

lab: setup
	@$(BIN)/course lab

test:
	$(call INSTALL,test)
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup \
		--no-loadscope-reorder $(ARGS)

thorough:
	$(call INSTALL,test)
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m thorough -n $(WORKERS) --dist loadgroup \
		--no-loadscope-reorder $(ARGS)

attacks:
	$(call INSTALL,test)
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m attack -n $(WORKERS) --dist load $(ARGS)

parity:
	$(call INSTALL,test parity)
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m pytest -m parity $(ARGS)

lint:
	$(call INSTALL,test)
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --no-cache --check .
	@$(BIN)/course build --check
