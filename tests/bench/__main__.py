"""`make bench`: every benchmark, or those that are named: `python -m tests.bench exchange`."""

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
BENCHES = sorted(path.stem for path in HERE.glob("[a-z]*.py"))


def main(asked: list[str]) -> None:
    """Run them one after the other, in processes that they start themselves."""
    for name in asked or BENCHES:
        import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
