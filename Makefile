# Everything a fresh clone needs: Linux or macOS, Python 3.11 or newer, nothing else.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test test-browser check style clean

demo: $(READY) ## learn to paint like Monet for a few minutes, then translate a folder
	$(BIN)/python tools/train_cycle.py --a photos --b monet --minutes 5 --out runs/demo
	$(BIN)/python tools/translate_folder.py --model runs/demo --input "$${TRANSLATE_DATA:-data}/photos2monet/testA" --output runs/demo/painted
	$(BIN)/python tools/evaluate.py --model runs/demo
	@echo "Look at runs/demo/samples and runs/demo/painted"

test: $(READY) ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --ignore=tests/browser

test-browser: $(READY) ## run the tests of the studio's pages in chromium, if there is one
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -rs tests/browser

check: $(READY) ## lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

style: $(READY) ## mend what can be mended by machine
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove the environment and everything made by tools
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $(READY)
