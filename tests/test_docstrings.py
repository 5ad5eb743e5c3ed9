"""The examples of the docstrings do what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples(path):
    words = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = import_module(".".join(word for word in words if word != "__init__"))
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
