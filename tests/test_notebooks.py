"""The notebooks: clean, short, and run from top to bottom on the small sizes that each of them names."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import matplotlib
import matplotlib.figure
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text("utf-8"))


def code(notebook) -> list[tuple[str, list[str]]]:
    """The source and the tags of each cell of code."""
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    return [("".join(c["source"]), c["metadata"].get("tags", [])) for c in cells]


def test_there_are_eight():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"0{k}" for k in range(1, 9)]


def test_outputs_are_stripped_and_it_is_short(notebook):
    cells = notebook["cells"]
    assert len(cells) < 15
    assert cells[0]["cell_type"] == "markdown" and "".join(cells[0]["source"]).startswith("# ")
    for cell in cells:
        assert cell.get("id") and cell["cell_type"] in ("markdown", "code")
        if cell["cell_type"] == "code":
            assert not cell["outputs"] and cell["execution_count"] is None
    assert [tags for _, tags in code(notebook) if "parameters" in tags] == [["parameters"]]


@pytest.mark.parametrize(
    "notebook",
    [p if p.stem[:2] in ("01", "02") else pytest.param(p, marks=pytest.mark.slow) for p in NOTEBOOKS],
    ids=lambda path: path.stem,
    indirect=True,
)
def test_it_runs_on_small_sizes_and_ends_with_a_picture(notebook, monkeypatch, tmp_path, capsys):
    for module in notebook["metadata"]["qsim"].get("needs", []):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QSIM_CACHE_DIR", raising=False)
    matplotlib.use("agg")
    small = notebook["metadata"]["qsim"]["small"]
    scope: dict[str, object] = {"__name__": "__main__"}
    last = None
    for source, tags in code(notebook):
        last = run(source, scope)
        if "parameters" in tags:
            unknown = set(small) - set(re.findall(r"^(\w+) =", source, re.MULTILINE))
            assert not unknown, f"not in the cell of parameters: {unknown}"
            scope |= small
    assert isinstance(last, matplotlib.figure.Figure)
    assert last.axes and any(ax.has_data() or ax.patches or ax.texts for ax in last.axes)


def run(source: str, scope: dict[str, object]) -> object:
    """Run a cell; the value of its last line, where that is an expression."""
    tree = ast.parse(source)
    tail = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), scope)
    return None if tail is None else eval(compile(ast.Expression(tail.value), "cell", "eval"), scope)
